"""A fake encoder, a daemon's query server, and a small watched table with vectors, for every test of search."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from rowvec.database.vectors import vector_text
from rowvec.search.loopback import Loopback, setup_loopback
from rowvec.search.query_server import QueryServer

DIMS = 16
ROWS = 3000


class FakeEncoder:
    """A text's vector is the sum of its words' random directions, so texts that share words are near each other."""

    dims = DIMS

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.gate = threading.Event()
        self.gate.set()

    def encode(self, texts: Sequence[str], *, prompt: str = "", urgent: bool = False) -> NDArray[np.float32]:
        assert self.gate.wait(30)
        self.calls += [(prompt, text) for text in texts]
        if any("unspeakable" in text for text in texts):
            raise ValueError("a vector that is not finite")
        return np.stack([self.vector(text) for text in texts])

    def vector(self, text: str) -> NDArray[np.float32]:
        total = np.zeros(DIMS)
        for word in text.lower().split():
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
            total += np.random.default_rng(seed).standard_normal(DIMS)
        length = float(np.linalg.norm(total))
        return (total / length if length else total).astype(np.float32)


def reads(connection: psycopg.Connection, index: str, statement: str, *values: object) -> bool:
    """Run a statement; return whether it scanned this index. EXPLAIN would not show the plans inside a function."""
    with connection.transaction():
        connection.execute(statement.encode(), values)
        row = connection.execute("SELECT pg_stat_get_xact_numscans(%s::regclass)", (index,)).fetchone()
    assert row is not None
    return bool(row[0] > 0)


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def model_id(connection: psycopg.Connection) -> int:
    """Give the id of a default model with a query prompt."""
    return add_model(connection)


def add_model(connection: psycopg.Connection) -> int:
    """Register the model of the fake encoder, unless it is there; return its id."""
    connection.execute(
        "INSERT INTO rowvec_internal.model (name, fingerprint, dims, max_tokens, similarity, manifest, is_default)"
        " VALUES ('fake', 'f00d', %s, 64, 'cosine', %s, true) ON CONFLICT DO NOTHING",
        (DIMS, '{"prompts": {"query": "query: ", "document": ""}}'),
    )
    row = connection.execute("SELECT id FROM rowvec_internal.model WHERE name = 'fake'").fetchone()
    assert row is not None
    number: int = row[0]
    return number


@pytest.fixture
def loopback(connection: psycopg.Connection) -> Iterator[Loopback]:
    """Give a loop-back connection that has been set up, and remove its role afterwards."""
    made = setup_loopback(connection)
    yield made
    connection.execute("SELECT rowvec_internal.drop_loopback()")


@pytest.fixture
def way(request: pytest.FixtureRequest, connection: psycopg.Connection) -> None:
    """Set up how a SELECT asks: the loop-back connection where the server has dblink; the mailbox needs nothing."""
    if connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'dblink'").fetchone():
        request.getfixturevalue("loopback")


@pytest.fixture
def query_server(database_url: str, encoder: FakeEncoder, model_id: int, way: None) -> Iterator[QueryServer]:
    """Give a running query server, as the daemon runs it."""
    server = QueryServer(database_url, lambda _id: encoder, lambda: [model_id])
    server.start()
    assert server.wait_ready(20)
    yield server
    server.stop()


@pytest.fixture
def fill(connection: psycopg.Connection, encoder: FakeEncoder) -> Callable[[str], None]:
    """Give what a daemon does, for one source with the key `id` and the text `body`: write the vector of every row."""

    def write(source: str) -> None:
        row = connection.execute(
            "SELECT source_table::text, vector_table::text FROM rowvec_internal.source WHERE name = %s", (source,)
        ).fetchone()
        assert row is not None
        rows = connection.execute(f"SELECT id, body FROM {row[0]} WHERE body <> ''").fetchall()
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {row[1]} (id, embedding) VALUES (%s, %s)",
                [(key, vector_text(encoder.vector(body))) for key, body in rows],
            )

    return write


@pytest.fixture
def points(filled_database: str) -> np.ndarray:
    """Give the vectors of the table `points`, which the test's database holds."""
    return _points()


@pytest.fixture(scope="session")
def filled_database(new_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Give the URL of a database with a watched table of 3,000 rows with random vectors and an HNSW index.

    It takes most of a second to make, so it is made once, and `database_url` copies it for each test that asks for it.
    """
    with new_database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            add_model(connection)
            connection.execute(
                "CREATE TABLE points AS SELECT i AS id, 'x' AS body, i % 1000 AS part FROM generate_series(0, 2999) i"
            )
            connection.execute("ALTER TABLE points ADD PRIMARY KEY (id)")
            connection.execute("SELECT rowvec.watch('points', 'body')")
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO rowvec.points_vectors (id, embedding) VALUES (%s, %s)",
                    [(number, vector_text(vector)) for number, vector in enumerate(_points())],
                )
            connection.execute("CREATE INDEX ON rowvec.points_vectors USING hnsw (embedding vector_cosine_ops)")
            connection.execute("ANALYZE points, rowvec.points_vectors")
        yield url


def _points() -> np.ndarray:
    return np.random.default_rng(7).standard_normal((ROWS, DIMS)).astype(np.float32)
