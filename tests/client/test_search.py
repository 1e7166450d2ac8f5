"""Searches of the client: the same answers as in SQL, filters that are SQL and nothing else, vectors of any kind."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from pgvector.psycopg import register_vector
from psycopg import sql

import rowvec
from rowvec import Client
from tests.fix_search import DIMS, FakeEncoder

TEXTS = {1: ("en", "compress a file"), 2: ("en", "parse a file"), 3: ("de", "eine Datei packen"), 4: ("100%", "a b'c")}


@pytest.fixture
def client(connection: psycopg.Connection, model_id: int, fill: Callable[[str], None]) -> Client:
    """Give a client of four rows that have their vectors."""
    connection.execute("CREATE TABLE documents (id int PRIMARY KEY, lang text, body text)")
    connection.execute("SELECT rowvec.watch('documents', 'body')")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO documents VALUES (%s, %s, %s)", [(k, *v) for k, v in TEXTS.items()])
    fill("documents")
    return Client(connection)


@pytest.mark.usefixtures("query_server")
def test_by_text(client: Client, connection: psycopg.Connection) -> None:
    hits = client.search("documents", "compress", k=2)
    assert hits[0].key == "1"
    rows = connection.execute(
        "SELECT key, distance, passage, chunk FROM rowvec.search('documents', 'compress', k => 2)"
    )
    assert [(hit.key, hit.distance, hit.passage, hit.chunk) for hit in hits] == rows.fetchall()
    assert [hit.key for hit in client.search("documents", "compress", k=2, exact=True)] == [hit.key for hit in hits]


def test_by_vector(client: Client, encoder: FakeEncoder) -> None:
    vector = encoder.vector("parse a file")
    for query in (vector, vector.tolist(), tuple(vector), (number for number in vector), vector.astype(np.float64)):
        [hit] = client.search("documents", query, k=1)
        assert hit.key == "2"
        assert hit.distance == pytest.approx(0.0, abs=1e-6)
    assert len(client.search("documents", vector, max_distance=0.5)) < len(client.search("documents", vector))


def test_filter(client: Client, encoder: FakeEncoder) -> None:
    vector = encoder.vector("a file")

    def found(condition: sql.Composable) -> list[str]:
        return sorted(hit.key for hit in client.search("documents", vector, filter=condition))

    assert found(sql.SQL("lang = {}").format("en")) == ["1", "2"]
    assert found(sql.SQL("lang = {}").format("100%")) == ["4"]
    assert found(sql.SQL("lang LIKE '100%'")) == ["4"]
    assert found(sql.SQL("{} = {}").format(sql.Identifier("body"), "a b'c")) == ["4"]
    assert found(sql.SQL("lang = {}").format("' OR true --")) == []
    assert found(sql.SQL("id = ANY ({})").format([2, 3])) == ["2", "3"]


@pytest.mark.parametrize("method", ["search", "similar", "hybrid_search"])
def test_a_plain_filter_is_refused(client: Client, method: str) -> None:
    with pytest.raises(TypeError, match=r"filter is SQL, .*sql\.SQL.*a plain str is refused"):
        getattr(client, method)("documents", "1", filter="lang = 'en'")
    with pytest.raises(TypeError, match="document is SQL"):
        client.hybrid_search("documents", "x", document="tsv")  # type: ignore[arg-type]


@pytest.mark.parametrize("query", [3.5, None, ["a"], np.zeros((2, DIMS)), b"text", [None]])
def test_a_query_that_is_none(client: Client, query: object) -> None:
    with pytest.raises((TypeError, rowvec.DatabaseError)):
        client.search("documents", query)  # type: ignore[arg-type]


def test_the_server_checks_the_rest(client: Client, encoder: FakeEncoder) -> None:
    vector = encoder.vector("a")
    for arguments, message in [
        ({"query": [1.0, 2.0]}, "dimensions"),
        ({"query": [float("nan")] * DIMS}, "NaN"),
        ({"query": vector, "k": 0}, "k is 0"),
        ({"query": vector, "filter": sql.SQL("nothing = 1")}, 'column "nothing" does not exist'),
        ({"query": vector, "filter": sql.SQL("lang = %s")}, "syntax error"),
    ]:
        with pytest.raises(rowvec.DatabaseError, match=message):
            client.search("documents", **arguments)  # type: ignore[arg-type]
    with pytest.raises(rowvec.DatabaseError, match="no source"):
        client.search("nowhere", vector)


def test_similar(client: Client, connection: psycopg.Connection) -> None:
    [hit] = client.similar("documents", 1, k=1)
    assert hit.key == "2"
    assert client.similar("documents", "1", k=1) == [hit]
    assert [h.key for h in client.similar("documents", 1, filter=sql.SQL("lang = {}").format("de"))] == ["3"]
    identifier = uuid4()
    connection.execute("CREATE TABLE others (id uuid PRIMARY KEY, body text)")
    connection.execute("SELECT rowvec.watch('others', 'body')")
    assert client.similar("others", identifier) == []


@pytest.mark.usefixtures("query_server")
def test_hybrid(client: Client) -> None:
    best, *others = client.hybrid_search("documents", "compress", k=4, language="english")
    assert (best.key, best.vector_rank, best.text_rank, best.chunk) == ("1", 1, 1, 0)
    assert best.score == pytest.approx(2 / 61)
    assert {hit.text_rank for hit in others} == {None}
    document = sql.SQL("to_tsvector('simple', {})").format(sql.Identifier("lang"))
    found = client.hybrid_search("documents", "de", k=1, vector_weight=0.0, text_weight=2.0, document=document)
    assert [(hit.key, hit.text_rank) for hit in found] == [("3", 1)]


@pytest.mark.usefixtures("query_server")
def test_embed(client: Client, encoder: FakeEncoder, connection: psycopg.Connection) -> None:
    """A list of floats, whatever types the caller taught the connection."""
    register_vector(connection)
    vector = client.embed("compress", source="documents")
    assert (type(vector), type(vector[0])) == (list, float)
    assert encoder.calls[-1] == ("query: ", "compress")
    assert np.array_equal(np.asarray(vector, dtype=np.float32), encoder.vector("compress"))
    assert client.embed("compress", model="fake") == vector
    with pytest.raises(rowvec.DatabaseError, match="no model"):
        client.embed("compress", model="other")


def test_pgvector_need_not_be_on_the_search_path(
    client: Client, connection: psycopg.Connection, encoder: FakeEncoder
) -> None:
    connection.execute("CREATE SCHEMA apart")
    connection.execute("ALTER EXTENSION vector SET SCHEMA apart")
    [hit] = Client(connection).search("documents", encoder.vector("parse a file"), k=1)
    assert hit.key == "2"
