"""Search in column mode: the same answers, from the table itself, by its index, with its rights."""

from __future__ import annotations

from typing import LiteralString

import numpy as np
import psycopg
import pytest

from rowvec.database.vectors import vector_text
from rowvec.errors import SourceError
from rowvec.search.index_build import build
from rowvec.search.index_plan import plan
from tests.fix_search import DIMS, FakeEncoder, reads
from tests.search.test_search import nearest

ROWS = 2000
KINDS = pytest.mark.parametrize("kind", ["vector", "halfvec"])


@pytest.fixture
def documents(connection: psycopg.Connection, model_id: int, encoder: FakeEncoder) -> psycopg.Connection:
    """Watch six rows, the vectors in their own column."""
    connection.execute("CREATE TABLE documents (id int PRIMARY KEY, body text, lang text)")
    connection.execute(
        "INSERT INTO documents VALUES (1, 'cats and dogs', 'en'), (2, 'cats', 'en'), (3, 'ships at sea', 'en'),"
        " (4, 'a ship', 'de'), (5, NULL, 'en'), (6, 'dogs', 'de')"
    )
    connection.execute("SELECT rowvec.watch('documents', 'body', name => 'docs', into_column => 'meaning')")
    for key, body in connection.execute("SELECT id, body FROM documents WHERE body <> ''").fetchall():
        vector = vector_text(encoder.vector(body))
        connection.execute("UPDATE documents SET meaning = %s WHERE id = %s", (vector, key))
    return connection


@pytest.fixture
def points(connection: psycopg.Connection, model_id: int) -> np.ndarray:
    """Make a table of 2,000 rows that is not watched yet; give the vectors."""
    connection.execute("CREATE TABLE points (id int PRIMARY KEY, body text, part int)")
    connection.execute("INSERT INTO points SELECT i, 'x', i % 1000 FROM generate_series(0, 1999) i")
    return np.random.default_rng(7).standard_normal((ROWS, DIMS)).astype(np.float32)


def watch(connection: psycopg.Connection, points: np.ndarray, kind: str) -> None:
    connection.execute(f"ALTER TABLE points ADD embedding {kind}({DIMS})".encode())
    connection.execute("SELECT rowvec.watch('points', 'body', into_column => 'embedding', backfill => false)")
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE points SET embedding = %s WHERE id = %s",
            [(vector_text(vector), number) for number, vector in enumerate(points)],
        )
    connection.execute("ANALYZE points")


def rows(connection: psycopg.Connection, query: LiteralString, *values: object) -> list[tuple[object, ...]]:
    return connection.execute(query, values).fetchall()


@pytest.mark.usefixtures("query_server")
def test_every_way_to_search(documents: psycopg.Connection) -> None:
    assert rows(documents, "SELECT key FROM rowvec.search('docs', 'cats', k => 2)") == [("2",), ("1",)]
    typed = rows(documents, "SELECT (hit).id, (hit).lang FROM rowvec.search(NULL::documents, 'cats', k => 2)")
    assert typed == [(2, "en"), (1, "en")]
    assert (
        len(rows(documents, "SELECT FROM rowvec.search('docs', 'cats')")) == 5
    )  # the row without a text has no vector
    german = rows(documents, "SELECT key FROM rowvec.search('docs', 'dogs', filter => 'lang = ''de''')")
    assert german == [("6",), ("4",)]
    assert rows(documents, "SELECT key FROM rowvec.similar('docs', '2', k => 1)") == [("1",)]
    assert rows(documents, "SELECT (hit).id FROM rowvec.similar(NULL::documents, '2', k => 1)") == [(1,)]
    hybrid = rows(documents, "SELECT key, text_rank FROM rowvec.hybrid_search('docs', 'cats', k => 1)")
    assert hybrid == [("2", 1)]
    assert rows(documents, "SELECT (hit).id FROM rowvec.hybrid_search(NULL::documents, 'cats', k => 1)") == [(2,)]
    documents.execute("DELETE FROM documents WHERE id = 2")
    assert rows(documents, "SELECT key FROM rowvec.search('docs', 'cats', k => 1)") == [("1",)]


@KINDS
def test_the_index_is_built_and_used(
    connection: psycopg.Connection, database_url: str, points: np.ndarray, kind: str
) -> None:
    watch(connection, points, kind)
    query = points[3] + np.float32(0.05)
    right = nearest(points, query, 10)
    search = "SELECT key::int FROM rowvec.search('points', %s::vector, filter => %s)"
    assert [key for (key,) in rows(connection, search, vector_text(query), None)] == right  # by an exact scan
    chosen = plan(connection, "points")
    assert chosen.kind == kind
    assert any("an UPDATE of any column" in warning for warning in chosen.warnings)
    assert build(database_url, chosen) == "points_embedding_hnsw1"
    assert reads(connection, "points_embedding_hnsw1", search, vector_text(query), None)
    assert reads(connection, "points_embedding_hnsw1", search, vector_text(query), None)  # by the plan that is kept
    found = [key for (key,) in rows(connection, search, vector_text(query), None)]
    assert len(set(found) & set(right)) >= 9
    some = nearest(points, query, 10, np.arange(ROWS) % 1000 < 500)
    found = [key for (key,) in rows(connection, search, vector_text(query), "part < 500")]
    assert len(set(found) & set(some)) >= 9


def test_an_index_on_something_else_is_not_taken_for_ours(connection: psycopg.Connection, points: np.ndarray) -> None:
    watch(connection, points, "vector")
    connection.execute(f"ALTER TABLE points ADD other vector({DIMS})".encode())
    connection.execute("CREATE INDEX ON points USING hnsw (other vector_cosine_ops)")
    connection.execute("CREATE INDEX ON points USING hnsw (embedding vector_cosine_ops) WHERE part < 10")
    assert rows(connection, "SELECT (rowvec_internal.search_facts('points', NULL)).kind") == [(None,)]
    connection.execute("CREATE INDEX ON points USING hnsw ((embedding::halfvec(16)) halfvec_cosine_ops)")
    assert rows(connection, "SELECT (rowvec_internal.search_facts('points', NULL)).kind") == [("halfvec",)]


def test_a_partitioned_table_says_how_to_index_it(connection: psycopg.Connection, model_id: int) -> None:
    connection.execute("CREATE TABLE parts (id int PRIMARY KEY, body text) PARTITION BY RANGE (id)")
    connection.execute("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)")
    connection.execute("SELECT rowvec.watch('parts', 'body', into_column => 'embedding')")
    with pytest.raises(SourceError, match="is partitioned") as caught:
        plan(connection, "parts")
    assert "each partition" in str(caught.value.hint)


def test_rights_are_those_of_the_table(documents: psycopg.Connection) -> None:
    vector = "array_fill(1, ARRAY[16])::vector"
    documents.execute("DROP ROLE IF EXISTS column_reader")
    documents.execute("CREATE ROLE column_reader; GRANT USAGE ON SCHEMA rowvec TO column_reader")
    search = f"SELECT count(*) FROM rowvec.search('docs', {vector})".encode()
    with documents.transaction(force_rollback=True):
        documents.execute("SET LOCAL ROLE column_reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="documents"):
            documents.execute(search)
    with documents.transaction(force_rollback=True):
        documents.execute("GRANT SELECT ON documents TO column_reader; ALTER TABLE documents ENABLE ROW LEVEL SECURITY")
        documents.execute("CREATE POLICY german ON documents FOR SELECT USING (lang = 'de')")
        documents.execute("SET LOCAL ROLE column_reader")
        assert documents.execute(search).fetchone() == (2,)
    documents.execute("REVOKE ALL ON SCHEMA rowvec FROM column_reader; DROP ROLE column_reader")
