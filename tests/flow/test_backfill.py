"""The backfill: windows, resumption, live rows first, rechecks."""

from __future__ import annotations

from threading import Event

import psycopg

from rowvec.database import sources
from rowvec.database.connection import connect
from rowvec.flow import backfill
from tests.checking import eventually, until, wait
from tests.fakes import HashEncoder
from tests.running import check_in_step, daemon

STATE = "SELECT backfill, backfill_enqueued, pending FROM rowvec.status"


def fill(connection: psycopg.Connection, rows: int) -> None:
    connection.execute("INSERT INTO documents (body) SELECT 'old ' || g FROM generate_series(1, %s) g", (rows,))
    connection.execute("SELECT rowvec.watch('documents', 'body')")


def test_the_log_holds_one_window_and_the_pass_resumes(documents: psycopg.Connection, database_url: str) -> None:
    fill(documents, 250)
    with connect(database_url) as connection:
        source = sources.find(connection, "documents")
        assert backfill.advance(connection, source, window=100)
        assert documents.execute(STATE).fetchone() == ("rows", 100, 100)
        assert backfill.advance(connection, source, window=100)
        assert documents.execute(STATE).fetchone() == ("rows", 100, 100), "nothing is logged while the window is full"
    with daemon(database_url, backfill_window=100):  # another process goes on from the cursor
        wait(documents)
    assert documents.execute(STATE).fetchone() == ("done", 250, 0)
    assert check_in_step(documents, "documents") == 250


def test_a_live_row_overtakes_the_backfill(documents: psycopg.Connection, database_url: str) -> None:
    """A new row is encoded in the first batch after those that were in the pipe, not behind the whole table."""
    fill(documents, 2000)
    gate, encoder = Event(), HashEncoder()
    encoder.gate = gate
    with daemon(database_url, encoder, batch_texts=16):
        eventually(lambda: bool(encoder.calls))
        documents.execute("INSERT INTO documents (body) VALUES ('live')")
        gate.set()
        wait(documents, timeout="60 s")
    at = next(number for number, texts in enumerate(encoder.calls) if "live" in texts)
    assert at <= 6, f"{at} batches went before it, of {len(encoder.calls)}"
    assert len(encoder.calls) > 30


def test_a_recheck_encodes_only_what_differs(documents: psycopg.Connection, database_url: str) -> None:
    fill(documents, 300)
    encoder = HashEncoder()
    with daemon(database_url, encoder):
        wait(documents)
        with documents.transaction():
            documents.execute("SET LOCAL session_replication_role = replica")
            documents.execute("UPDATE documents SET body = 'changed' WHERE id = 42")
            documents.execute("DELETE FROM documents WHERE id = 43")
        encoder.calls.clear()
        documents.execute("SELECT rowvec.recheck('documents')")
        wait(documents)
    assert encoder.calls == [["changed"]]
    assert check_in_step(documents, "documents") == 299


def test_the_daemon_rechecks_by_itself(documents: psycopg.Connection, database_url: str) -> None:
    fill(documents, 3)
    with daemon(database_url):
        wait(documents)
    with documents.transaction():
        documents.execute("SET LOCAL session_replication_role = replica")
        documents.execute("UPDATE documents SET body = 'unseen' WHERE id = 2")
    documents.execute("UPDATE rowvec_internal.backfill SET done_at = now() - interval '2 days'")
    with daemon(database_url, recheck_seconds=86_400):
        until(documents, "SELECT done_at > now() - interval '1 day' FROM rowvec_internal.backfill", True)
        wait(documents)
    assert check_in_step(documents, "documents") == 3
