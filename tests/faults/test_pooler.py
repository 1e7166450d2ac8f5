"""Behind a pooler in transaction mode: everything works, by polling, and nothing of ours stays in its connections."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import psycopg
import pytest

from rowvec.database import embedded
from rowvec.database.connection import connect
from tests.checking import assert_in_step, until
from tests.running import SHAPES, add_fake_model, daemon
from tests.servers import FAST

OURS = ["synchronous_commit", "lock_timeout", "statement_timeout", "row_security", "datestyle", "extra_float_digits"]
OURS.append("session_replication_role")  # column mode


def state_of(connection: psycopg.Connection) -> set[tuple[str, str]]:
    """What a client of the pooler finds in the server's process that it gets."""
    shown = {(name, connection.execute(f"SHOW {name}".encode()).fetchone()[0]) for name in OURS}  # type: ignore[index]
    locks = connection.execute(
        "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    ).fetchone()
    prepared = connection.execute("SELECT count(*)::text FROM pg_prepared_statements").fetchone()
    listening = connection.execute(
        "SELECT string_agg(c, ' ') FROM pg_listening_channels() c WHERE c = 'rowvec'"
    ).fetchone()
    return shown | {("locks", str(locks)), ("prepared", str(prepared)), ("listening", str(listening))}


@pytest.mark.parametrize("shape", SHAPES, indirect=True)
def test_a_daemon_behind_a_pooler(
    docs: psycopg.Connection, pooler_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with psycopg.connect(database_url, autocommit=True) as direct:
        clean = state_of(direct)
    with (
        daemon(pooler_url, poll_seconds=0.1, lease_seconds=5.0),
        psycopg.connect(pooler_url, autocommit=True, prepare_threshold=None) as other,
    ):
        for turn in range(20):
            docs.execute("INSERT INTO docs SELECT %s * 100 + g, 'text ' || g FROM generate_series(1, 40) g", (turn,))
            assert state_of(other) == clean
        docs.execute("DELETE FROM docs WHERE id % 7 = 0")
        assert_in_step(docs, "docs")
        until(docs, "SELECT count(*)::int FROM rowvec_internal.daemon WHERE armed", 0)
        assert state_of(other) == clean
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "pooler" in warnings[0]


def test_a_direct_connection_for_listen_brings_the_doorbell_back(
    docs: psycopg.Connection, pooler_url: str, database_url: str
) -> None:
    with daemon(pooler_url, listen_url=database_url, poll_seconds=60.0):
        until(docs, "SELECT count(*)::int FROM rowvec_internal.daemon WHERE armed", 1)
        docs.execute("INSERT INTO docs VALUES (1, 'rings')")
        assert_in_step(docs, "docs", 1)


def test_settings_hold_for_a_statement_and_for_a_transaction(docs: psycopg.Connection, pooler_url: str) -> None:
    del docs
    with connect(pooler_url) as pooled:
        assert pooled.pooled
        assert pooled.execute("SHOW synchronous_commit").fetchone() == ("off",)
        with pooled.transaction():
            assert pooled.execute("SHOW lock_timeout").fetchone() == ("2s",)
            with pooled.transaction():
                assert pooled.execute("SHOW statement_timeout").fetchone() == ("1min",)
        with pytest.raises(psycopg.errors.DivisionByZero):
            pooled.execute("SELECT 1 / 0")
        assert pooled.execute("SHOW synchronous_commit").fetchone() == ("off",)
        with pytest.raises(
            psycopg.errors.QueryCanceled, match="0 waiting changes"
        ):  # not "invalid transaction termination"
            pooled.execute("CALL rowvec.wait('docs', '0.1 s')")


def test_a_direct_connection_is_known_as_one(database_url: str) -> None:
    with connect(database_url, statement_seconds=0) as direct:
        assert not direct.pooled
        assert direct.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert direct.execute("SHOW synchronous_commit").fetchone() == ("off",)


def test_two_phase_commit_is_not_broken_by_a_notification(caplog: pytest.LogCaptureFixture) -> None:
    """NOTIFY and PREPARE TRANSACTION exclude each other: where two-phase commit is on, nobody is to ring."""
    from rowvec_migrations import upgrade

    caplog.set_level(logging.INFO)
    with (
        tempfile.TemporaryDirectory(prefix="rowvec-server-") as home,
        embedded.using(Path(home), {**FAST, "max_prepared_transactions": "4"}) as url,
    ):
        upgrade(url)
        with psycopg.connect(url, autocommit=True) as user:
            add_fake_model(user)
            user.execute("CREATE TABLE docs (id int PRIMARY KEY, body text)")
            user.execute("SELECT rowvec.watch('docs', 'body')")
            with daemon(url, poll_seconds=0.1):
                for turn in range(10):
                    user.execute("BEGIN")
                    user.execute("INSERT INTO docs VALUES (%s, 'two phases')", (turn,))
                    user.execute(f"PREPARE TRANSACTION 'rowvec {turn}'".encode())
                    user.execute(f"COMMIT PREPARED 'rowvec {turn}'".encode())
                    assert_in_step(user, "docs", turn + 1)
    assert any("two-phase" in record.message for record in caplog.records)
