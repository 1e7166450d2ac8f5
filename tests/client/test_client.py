"""The client on a real server: sources, waiting, states and errors, on each kind of connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from datetime import datetime
from inspect import signature

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

import rowvec
from rowvec import Client
from rowvec.daemon.daemon import Daemon

DEAD = (
    "INSERT INTO rowvec_internal.dead (source_id, key, attempts, error, text_length, text_hash, enqueued_at)"
    " SELECT id, k, 5, 'poison', 7, '\\xab', now() FROM rowvec_internal.source, unnest(ARRAY['1', '2']) k"
)


@pytest.fixture
def client(database_url: str) -> Iterator[Client]:
    """Give a client with a connection of its own."""
    with rowvec.connect(database_url) as made:
        yield made


def count(connection: psycopg.Connection, condition: str = "embedding IS NOT NULL") -> int:
    row = connection.execute(f"SELECT count(*) FROM rowvec.documents_vectors WHERE {condition}".encode()).fetchone()
    return row[0] if row else 0


def test_watch_wait_status_unwatch(documents: psycopg.Connection, running: Daemon, client: Client) -> None:
    documents.execute("INSERT INTO documents (title, body) VALUES ('a', 'b'), ('c', 'd')")
    source = client.watch("documents", ["title", "body"])
    assert source == rowvec.Source("documents", "documents", "fake", "rowvec.documents_vectors")
    documents.execute("INSERT INTO documents (body) VALUES ('e')")
    client.wait("documents", timeout=20)
    assert count(documents) == 3
    [status] = client.status("documents")
    assert (status.name, status.state, status.backfill, status.pending) == ("documents", "active", "done", 0)
    assert status.daemons == 1
    assert client.status() == [status]
    assert client.status("nowhere") == []
    client.unwatch("documents", drop_vectors=True)
    assert client.status() == []
    with pytest.raises(FrozenInstanceError):
        status.name = "x"  # type: ignore[misc]


def test_every_option_of_watch_arrives(documents: psycopg.Connection, client: Client) -> None:
    """Each value gets to its column of the catalogue."""
    options: dict[str, object] = {
        "model": "fake",
        "template": "{title}: {body}",
        "chunk_tokens": 20,
        "chunk_overlap": 3,
        "on_overflow": "chunk",
        "store_text": True,
        "document_prompt": "passage: ",
        "query_prompt": "query: ",
    }
    made = client.watch("documents", ["title", "body"], name="docs", backfill=False, index="auto", **options)  # type: ignore[arg-type]
    assert made.name == "docs"
    with documents.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            "SELECT s.*, m.name AS model, s.index_kind, b.phase FROM rowvec_internal.source s"
            " JOIN rowvec_internal.model m ON m.id = s.model_id JOIN rowvec_internal.backfill b ON b.source_id = s.id"
        ).fetchone()
    assert found is not None
    assert {name: found[name] for name in options} == options
    assert (found["index_kind"], found["phase"]) == ("auto", "done")
    assert client.watch("documents", "body", name="docs", if_not_exists=True).name == "docs"
    client.watch("documents", "title", name="docs", replace=True)
    assert client.watch("documents", "body", into_column="embedding").name == "documents"


@pytest.mark.parametrize("method", ["watch", "unwatch", "wait", "search", "similar", "hybrid_search", "embed", "retry"])
def test_parameters_are_those_of_sql(connection: psycopg.Connection, method: str) -> None:
    rows = connection.execute(
        "SELECT proargnames[:pronargs] FROM pg_proc WHERE pronamespace = 'rowvec'::regnamespace AND proname = %s",
        [method],
    ).fetchall()
    assert list(signature(getattr(Client, method)).parameters)[1:] in [row[0] for row in rows]


def test_errors_and_retry(documents: psycopg.Connection, client: Client) -> None:
    client.watch("documents", "body")
    documents.execute(DEAD)
    assert client.status()[0].dead == 2
    newest = client.errors("documents", limit=1)
    found = sorted(client.errors("documents"), key=lambda error: error.key)
    assert [(error.key, error.state, error.attempts, error.error) for error in found] == [
        ("1", "dead", 5, "poison"),
        ("2", "dead", 5, "poison"),
    ]
    assert (found[0].text_length, found[0].text_hash, found[0].next_try_at) == (7, "ab", None)
    assert isinstance(found[0].at, datetime)
    assert newest[0] in found
    assert client.errors("nowhere") == []
    assert (client.retry("documents", 1), client.retry("documents"), client.retry("documents")) == (1, 1, 0)


def test_a_row_that_is_retried_is_an_error_too(documents: psycopg.Connection, client: Client) -> None:
    client.watch("documents", "body")
    documents.execute("INSERT INTO documents (body) VALUES ('x')")
    fail = "UPDATE rowvec_internal.change SET attempts = 1, last_error = 'full', claimed_at = now(), visible_at = {}"
    for when, later in [("now() + interval '1 min'", True), ("'-infinity'", False)]:
        documents.execute(fail.format(when).encode())
        [error] = client.errors()
        assert (error.state, error.error, error.next_try_at is not None) == ("retrying", "full", later)


def test_wait_ends_in_time(documents: psycopg.Connection, client: Client) -> None:
    documents.execute("INSERT INTO documents (body) VALUES ('x')")
    client.watch("documents", "body")
    with pytest.raises(rowvec.WaitTimeout, match="waiting changes") as raised:
        client.wait("documents", timeout=0)
    assert "rowvec daemon" in (raised.value.hint or "")
    assert isinstance(raised.value, rowvec.DatabaseError)


def test_a_pool_stays_the_callers(documents: psycopg.Connection, database_url: str, running: Daemon) -> None:
    """Its connections, which are not in autocommit mode, come back as they were; what was done is committed."""
    with ConnectionPool(database_url, min_size=1, max_size=1, open=True) as pool:
        with Client(pool) as client:
            client.watch("documents", "body")
            documents.execute("INSERT INTO documents (body) VALUES ('x')")
            client.wait("documents", timeout=20)
            with pytest.raises(rowvec.DatabaseError):
                client.unwatch("nowhere")
            assert client.status()[0].pending == 0
        with pool.connection() as connection:
            assert not connection.autocommit
            assert connection.execute("SELECT count(*) FROM rowvec.documents_vectors").fetchone() == (1,)


def test_a_connection_stays_the_callers(documents: psycopg.Connection, database_url: str, running: Daemon) -> None:
    """Statements are part of the caller's transaction, his row factory and cursors do not matter, and wait refuses."""
    with psycopg.connect(
        database_url, row_factory=dict_row, cursor_factory=psycopg.RawCursor[dict[str, object]]
    ) as mine:
        with Client(mine) as client:
            client.watch("documents", "body")
            mine.rollback()
            assert client.status() == []
            client.watch("documents", "body")
            with pytest.raises(rowvec.DatabaseError, match=r"wait\(\) cannot run inside a transaction") as raised:
                client.wait("documents")
            assert "after the commit" in (raised.value.hint or "")
            mine.commit()
            client.wait("documents", timeout=20)
            assert not mine.autocommit
        assert not mine.closed
        with mine.transaction():
            assert Client(mine).status("documents")[0].backfill == "done"


def test_connect_closes_its_own(database_url: str) -> None:
    with rowvec.connect(database_url, application_name="mine") as client:
        assert client.status() == []
    with pytest.raises(rowvec.RowvecError, match="closed"):
        client.status()


def test_bad_input(documents: psycopg.Connection, client: Client, database_url: str) -> None:
    with pytest.raises(rowvec.DatabaseError, match='relation "nowhere" does not exist'):
        client.watch("nowhere", "body")
    with pytest.raises(rowvec.DatabaseError, match='no column "bodi"'):
        client.watch("documents", ["bodi"])
    with pytest.raises(rowvec.DatabaseError, match='no source "nowhere"'):
        client.wait("nowhere")
    with pytest.raises(TypeError, match=r"rowvec\.connect"):
        Client(database_url)  # type: ignore[arg-type]


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(rowvec.ServerUnreachable) as raised:
        rowvec.connect("postgresql://me:hunter2-secret@127.0.0.1:1/x", connect_timeout=2)
    assert raised.value.hint == "Check the URL and that the server runs."
    assert "hunter2" not in str(raised.value)
    with pytest.raises(rowvec.SettingsError, match="the URL cannot be read") as unread:
        rowvec.connect("postgresql://me:hunter2-secret@[x/y")
    assert "hunter2" not in str(unread.value)


def test_a_database_without_rowvec(empty_database_url: str) -> None:
    with rowvec.connect(empty_database_url) as client, pytest.raises(rowvec.DatabaseError) as raised:
        client.status()
    assert raised.value.hint == "Run `rowvec migrate` first."


def test_records_have_the_views_columns(connection: psycopg.Connection) -> None:
    """No column of a view is missing from its dataclass; `lag` is in seconds there."""
    for view, record in [("status", rowvec.SourceStatus), ("errors", rowvec.RowError)]:
        cursor = connection.execute(f"SELECT * FROM rowvec.{view}".encode())
        columns = {column.name.replace("lag", "lag_seconds") for column in cursor.description or []}
        assert columns == {field.name for field in fields(record)}
