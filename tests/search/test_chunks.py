"""Search among chunks: the best one of each row with its passage, or all of them; k rows are k rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from rowvec.cli import look
from rowvec.client import Client
from rowvec.database.vectors import vector_text
from tests.fix_search import DIMS, FakeEncoder, add_model

TEXTS = {
    1: ["cats sleep", "dogs bark", "ships sail"],
    2: ["cats and dogs"],
    3: ["a recipe", "ships at sea", "a ship sinks"],
}
ROWS, LONG = 300, 900


@pytest.fixture
def docs(connection: psycopg.Connection, model_id: int, encoder: FakeEncoder) -> psycopg.Connection:
    """Give a connection to a database with three watched rows, cut into short chunks, as the daemon writes them."""
    connection.execute("CREATE TABLE documents (id int PRIMARY KEY, title text, body text)")
    connection.execute("SELECT rowvec.watch('documents', ARRAY['title', 'body'], name => 'docs', chunk_tokens => 16)")
    for key, sentences in TEXTS.items():
        text = " ".join(sentences)
        connection.execute("INSERT INTO documents VALUES (%s, %s, %s)", (key, f"No. {key}", text))
        start = len(f"No. {key}\n\n")
        for number, sentence in enumerate(sentences):
            connection.execute(
                "INSERT INTO rowvec.docs_vectors (id, chunk, embedding, chunk_start, chunk_end)"
                " VALUES (%s, %s, %s, %s, %s)",
                (key, number, vector_text(encoder.vector(sentence)), start, start + len(sentence)),
            )
            start += len(sentence) + 1
    connection.execute("ANALYZE documents, rowvec.docs_vectors")
    return connection


@pytest.mark.usefixtures("query_server")
@pytest.mark.parametrize("indexed", [False, True])
def test_the_best_chunk_of_each_row_and_its_passage(docs: psycopg.Connection, indexed: bool) -> None:
    if indexed:
        docs.execute("CREATE INDEX ON rowvec.docs_vectors USING hnsw (embedding vector_cosine_ops)")
    search = "SELECT key, chunk, passage FROM rowvec.search('docs', 'ships at sea', k => %s)"
    assert docs.execute(search, (1,)).fetchall() == [("3", 1, "ships at sea")]
    assert docs.execute(search, (2,)).fetchall() == [("3", 1, "ships at sea"), ("1", 2, "ships sail")]
    found = docs.execute("SELECT key, distance FROM rowvec.search('docs', 'ships at sea')").fetchall()
    assert [key for key, _ in found] == ["3", "1", "2"]
    assert [distance for _, distance in found] == sorted(distance for _, distance in found)
    every = docs.execute(
        "SELECT key, chunk, passage, distance FROM rowvec.search('docs', 'ships at sea', per_row => false)"
    ).fetchall()
    assert [row[3] for row in every] == sorted(row[3] for row in every)
    assert {(int(key), chunk): passage for key, chunk, passage, _ in every} == {
        (key, number): sentence for key, sentences in TEXTS.items() for number, sentence in enumerate(sentences)
    }
    two = "SELECT count(*) FROM rowvec.search('docs', 'ships at sea', k => 2, per_row => false)"
    assert docs.execute(two).fetchone() == (2,)


@pytest.mark.usefixtures("query_server")
def test_typed_rows_filters_and_stored_passages(docs: psycopg.Connection) -> None:
    typed = "SELECT (hit).title, distance, passage FROM rowvec.search(NULL::documents, 'dogs bark', k => 1)"
    assert docs.execute(typed).fetchall() == [("No. 1", pytest.approx(0, abs=1e-6), "dogs bark")]
    docs.execute("UPDATE rowvec.docs_vectors SET chunk_text = 'as it was' WHERE id = 1 AND chunk = 1")
    docs.execute("UPDATE documents SET body = 'soon another' WHERE id = 1")
    assert docs.execute(typed).fetchall() == [("No. 1", pytest.approx(0, abs=1e-6), "as it was")]
    filtered = "SELECT key FROM rowvec.search('docs', 'dogs bark', filter => 'id > 1 -- not the first')"
    assert {key for (key,) in docs.execute(filtered)} == {"2", "3"}
    near = "SELECT key, chunk FROM rowvec.search('docs', 'dogs bark', max_distance => 0.01, per_row => false)"
    assert docs.execute(near).fetchall() == [("1", 1)]
    docs.execute("DELETE FROM documents WHERE id = 1")
    assert {key for (key,) in docs.execute("SELECT key FROM rowvec.search('docs', 'dogs bark')")} == {"2", "3"}


@pytest.mark.usefixtures("query_server")
def test_similar_and_hybrid(docs: psycopg.Connection, encoder: FakeEncoder) -> None:
    """More like a row of several chunks is near to their mean; the passage is the best of the other row."""
    for key, sentences in TEXTS.items():
        mean = np.mean([encoder.vector(sentence) for sentence in sentences], axis=0)
        others = [(float(mean @ encoder.vector(x)), other, x) for other in TEXTS if other != key for x in TEXTS[other]]
        like = f"SELECT (hit).id, passage FROM rowvec.similar(NULL::documents, '{key}', k => 1)"
        assert docs.execute(like.encode()).fetchall() == [max(others)[1:]]
    both = "SELECT key, chunk, passage FROM rowvec.hybrid_search('docs', 'a recipe', k => 1)"
    assert docs.execute(both).fetchall() == [("3", 0, "a recipe")]
    typed = "SELECT (hit).id, passage FROM rowvec.hybrid_search(NULL::documents, 'a recipe', k => 1)"
    assert docs.execute(typed).fetchall() == [(3, "a recipe")]


@pytest.mark.usefixtures("query_server")
def test_the_client_and_the_command_line_have_the_passage(docs: psycopg.Connection) -> None:
    [hit] = Client(docs).search("docs", "ships at sea", k=1)
    assert (hit.key, hit.passage) == ("3", "ships at sea")
    assert look.shown_texts(docs, "docs", [hit]) == {"3": "ships at sea"}


def test_passages_are_as_visible_as_their_rows(docs: psycopg.Connection, encoder: FakeEncoder) -> None:
    docs.execute("CREATE ROLE chunk_reader")
    try:
        docs.execute("GRANT SELECT ON documents TO chunk_reader")
        docs.execute("GRANT USAGE ON SCHEMA rowvec, public TO chunk_reader")
        docs.execute("ALTER TABLE documents ENABLE ROW LEVEL SECURITY")
        docs.execute("CREATE POLICY not_the_third ON documents USING (id < 3)")
        docs.execute("SET ROLE chunk_reader")
        query = vector_text(encoder.vector("ships at sea"))
        found = docs.execute("SELECT key, passage FROM rowvec.search('docs', %s::vector)", (query,)).fetchall()
        assert found == [("1", "ships sail"), ("2", "cats and dogs")]
    finally:
        docs.execute("RESET ROLE")
        docs.execute("DROP OWNED BY chunk_reader")
        docs.execute("DROP ROLE chunk_reader")


@pytest.fixture(scope="module")
def filled_database(new_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Give the URL of a database with 300 watched rows of ten chunks, and one of 900 all near to the first axis."""
    with new_database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            add_model(connection)
            connection.execute("CREATE TABLE points (id int PRIMARY KEY, part int, body text)")
            connection.execute("INSERT INTO points SELECT i, i %% 10, 'x' FROM generate_series(0, %s) i", (ROWS,))
            connection.execute("SELECT rowvec.watch('points', 'body', chunk_tokens => 16)")
            keys, vectors = _points()
            chunks = [number for _ in range(ROWS) for number in range(10)] + list(range(LONG))
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO rowvec.points_vectors (id, chunk, embedding) VALUES (%s, %s, %s)",
                    [
                        (int(key), chunk, vector_text(vector))
                        for key, chunk, vector in zip(keys, chunks, vectors, strict=True)
                    ],
                )
            connection.execute("CREATE INDEX ON rowvec.points_vectors USING hnsw (embedding vector_cosine_ops)")
            connection.execute("ANALYZE points, rowvec.points_vectors")
        yield url


@pytest.fixture
def points(filled_database: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give the keys and vectors of `points`, which the test's database holds."""
    return _points()


def _points() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    keys = np.array([row for row in range(ROWS) for _ in range(10)] + [ROWS] * LONG)
    vectors = np.random.default_rng(5).standard_normal((len(keys), DIMS)).astype(np.float32)
    vectors[-LONG:] *= 0.05
    vectors[-LONG:, 0] += 1
    return keys, vectors


def nearest(keys: NDArray[np.int64], vectors: NDArray[np.float32], query: Sequence[float], k: int) -> list[int]:
    scores = vectors @ np.array(query) / np.linalg.norm(vectors, axis=1)
    return list(dict.fromkeys(keys[np.argsort(-scores)].tolist()))[:k]


@pytest.mark.parametrize("k", [1, 10, 40])
@pytest.mark.parametrize("parts", [10, 1])
def test_k_rows_come_though_one_row_has_all_the_nearest_chunks(
    connection: psycopg.Connection, points: tuple[NDArray[np.int64], NDArray[np.float32]], k: int, parts: int
) -> None:
    keys, vectors = points
    query = [1.0, *[0.02] * (DIMS - 1)]
    rule = f"part < {parts}" if parts < 10 else None
    rows = connection.execute(
        "SELECT key FROM rowvec.search('points', %s::vector, k => %s, filter => %s)",
        (vector_text(np.array(query, dtype=np.float32)), k, rule),
    ).fetchall()
    found = [int(key) for (key,) in rows]
    kept = keys % 10 < parts
    right = nearest(keys[kept], vectors[kept], query, k)
    assert len(found) == len(set(found)) == len(right)
    assert found[0] == right[0] == ROWS
    assert len(set(found) & set(right)) >= 0.95 * len(right)


@pytest.mark.usefixtures("points")
def test_the_index_is_used(connection: psycopg.Connection) -> None:
    for per_row in ("true", "false"):
        row = connection.execute(
            f"SELECT nearest, attempts FROM rowvec_internal.begin_search('points', NULL, 2, NULL, false,"
            f" {per_row})".encode()
        ).fetchone()
        assert row is not None
        assert row[1] == ([1, 8] if per_row == "true" else [1])
        statement = row[0].replace("$1", "array_fill(0.5, ARRAY[16])::vector").replace("$2", "2").replace("$4", "1")
        plan = "\n".join(line for (line,) in connection.execute("EXPLAIN " + statement))
        assert "points_vectors_embedding_idx" in plan, plan
