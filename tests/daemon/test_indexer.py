"""index => 'auto': built by the daemon after the backfill, once, by one daemon, again after whatever ended it early."""

from __future__ import annotations

import logging
from threading import Event

import psycopg
import pytest

from rowvec.daemon.daemon import Daemon
from rowvec.daemon.indexer import Indexer
from rowvec.database.connection import connect
from rowvec.search import index_build
from rowvec.settings import Settings
from tests.checking import until, wait
from tests.fakes import HashEncoder
from tests.faults.conftest import pooler_url
from tests.running import add_fake_model, daemon

__all__ = ["pooler_url"]
ROWS = 200
STATE = "SELECT index FROM rowvec.status"
INDEXES = "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%USING hnsw%'"


@pytest.fixture
def docs(connection: psycopg.Connection) -> psycopg.Connection:
    """Give a connection to a database with a table of 200 rows that is watched with index => 'auto'."""
    add_fake_model(connection)
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO docs SELECT i, 'text ' || i FROM generate_series(1, %s) i", (ROWS,))
    connection.execute("SELECT rowvec.watch('docs', 'body', index => 'auto')")
    return connection


@pytest.fixture
def filled(docs: psycopg.Connection) -> psycopg.Connection:
    """Give the same with its vectors, as after the backfill."""
    docs.execute("UPDATE rowvec_internal.backfill SET phase = 'done'")
    docs.execute(
        "INSERT INTO rowvec.docs_vectors (id, embedding)"
        " SELECT i, (SELECT array_agg(sin(i * j)) FROM generate_series(1, 8) j)::vector FROM generate_series(1, %s) i",
        (ROWS,),
    )
    docs.execute("ANALYZE rowvec.docs_vectors")
    return docs


def build(url: str, stop: Event | None = None, rows: int = ROWS) -> bool:
    """Let an indexer look, and wait for the end of what it began; return whether it began a build."""
    indexer = Indexer(url, rows, stop or Event())
    with connect(url) as connection:
        began = indexer.look(connection)
    indexer.join()
    return began


def test_a_daemon_builds_it_after_the_backfill(
    docs: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rowvec.daemon.indexer.LOOK_SECONDS", 0.1)
    with daemon(database_url, index_rows=ROWS):
        wait(docs, "docs")
        docs.execute("ANALYZE rowvec.docs_vectors")  # the daemon's own counts are told after ten idle seconds
        until(docs, STATE, "there")
    assert docs.execute(INDEXES).fetchone() == (1,)
    assert docs.execute("SELECT count(embedding) FROM rowvec.docs_vectors").fetchone() == (ROWS,)


def test_a_daemon_that_ends_when_nothing_is_left_builds_it_first(docs: psycopg.Connection, database_url: str) -> None:
    docs.execute(
        "INSERT INTO rowvec.docs_vectors (id, embedding) SELECT i, NULL FROM generate_series(1, %s) i", (ROWS,)
    )
    docs.execute(
        "ANALYZE rowvec.docs_vectors"
    )  # its size is known from the start, so that no statistics are waited for
    Daemon(database_url, Settings(index_rows=ROWS), lambda _model: HashEncoder(), once=True).run()
    assert docs.execute(STATE).fetchone() == ("there",)


def test_what_is_not_due_is_left(filled: psycopg.Connection, database_url: str) -> None:
    assert not build(database_url, rows=ROWS + 1)
    filled.execute("UPDATE rowvec_internal.backfill SET phase = 'rows'")
    assert not build(database_url)
    filled.execute("UPDATE rowvec_internal.backfill SET phase = 'done'")
    filled.execute(
        "INSERT INTO rowvec_internal.change (source_id, lane, keys) VALUES (1, 1, '{1}')"
    )  # the backfill's last keys
    assert not build(database_url)
    filled.execute("DELETE FROM rowvec_internal.change")
    filled.execute("UPDATE rowvec_internal.source SET index_kind = NULL")
    assert not build(database_url)
    assert filled.execute(STATE).fetchone() == ("none",)
    filled.execute("UPDATE rowvec_internal.source SET index_kind = 'auto'")
    assert filled.execute(STATE).fetchone() == ("auto",)
    assert build(database_url)
    assert not build(database_url)
    assert filled.execute(INDEXES).fetchone() == (1,)


def test_one_builder_at_a_time_over_all_daemons(filled: psycopg.Connection, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", index_build.LOCK)
        assert build(database_url)
        assert filled.execute(INDEXES).fetchone() == (0,)
    assert build(database_url)
    assert filled.execute(INDEXES).fetchone() == (1,)


def test_an_end_of_the_daemon_ends_the_build_and_the_next_one_makes_it_again(
    filled: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_build, "POLL_SECONDS", 0.01)
    with psycopg.connect(database_url) as writer:
        writer.execute("LOCK rowvec.docs_vectors IN ROW EXCLUSIVE MODE")  # the build waits for this transaction
        stop = Event()
        indexer = Indexer(database_url, ROWS, stop)
        with connect(database_url) as connection:
            assert indexer.look(connection)
            until(filled, STATE, "building")
            assert indexer.look(connection)
        stop.set()
        indexer.join()
    until(filled, STATE, "invalid")
    assert build(database_url)
    assert filled.execute(STATE).fetchone() == ("there",)
    assert filled.execute(INDEXES).fetchone() == (1,)


def test_a_build_that_loses_its_server_is_tried_again(
    filled: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The backend is terminated, as a server that shuts down or an administrator does."""
    with psycopg.connect(database_url) as writer:
        writer.execute("LOCK rowvec.docs_vectors IN ROW EXCLUSIVE MODE")
        indexer = Indexer(database_url, ROWS, Event())
        with connect(database_url) as connection, caplog.at_level(logging.INFO):
            assert indexer.look(connection)
            until(filled, STATE, "building")
            filled.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'rowvec index' AND datname = current_database()"
            )
            indexer.join()
            assert not indexer.look(connection, at_once=True)  # not before a minute has passed
    assert "again in 60 s" in caplog.text
    assert build(database_url)
    assert filled.execute(STATE).fetchone() == ("there",)


@pytest.mark.container
def test_behind_a_pooler_it_says_what_it_needs(
    filled: psycopg.Connection, pooler_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert build(pooler_url)
    assert "ROWVEC_LISTEN_URL" in caplog.text
    assert filled.execute(INDEXES).fetchone() == (0,)
