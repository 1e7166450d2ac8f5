"""Connections that break at the worst moment: in the middle of a claim, of an ack, before it or just after."""

from __future__ import annotations

import psycopg
import pytest

from rowvec.database import connection as connections
from tests.checking import assert_in_step, until
from tests.proxy import Moment, Proxy
from tests.running import daemon

ACK, CLAIM, HEART = b"WITH owned AS", b"WITH waiting AS", b"ON CONFLICT (id) DO UPDATE SET heartbeat_at"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("words", [ACK, CLAIM, HEART], ids=["ack", "claim", "heartbeat"])
def test_a_cut_in_the_middle_of_a_statement(
    docs: psycopg.Connection, database_url: str, words: bytes, moment: Moment
) -> None:
    with Proxy(database_url) as proxy, daemon(proxy.url, lease_seconds=0.9, poll_seconds=0.1):
        for turn in range(5):
            if turn:
                proxy.cut()  # a new connection sends its statements with their words; later only their names
            proxy.cut_at(words, moment)
            docs.execute("INSERT INTO docs SELECT %s * 100 + g, 'text' || g FROM generate_series(1, 50) g", (turn,))
            docs.execute("UPDATE docs SET body = body || %s WHERE id %% 7 = 0", (f"turn {turn}",))
            docs.execute("DELETE FROM docs WHERE id %% 11 = %s", (turn,))
            assert_in_step(docs, "docs")
        assert proxy.cuts >= (1 if words is HEART else 5)
    assert docs.execute("SELECT count(*) FROM rowvec_internal.dead").fetchone() == (0,)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lone_change_whose_write_is_cut_does_not_wait_for_its_lease(
    docs: psycopg.Connection, database_url: str, moment: Moment
) -> None:
    with Proxy(database_url) as proxy, daemon(proxy.url, lease_seconds=600.0, poll_seconds=0.1):
        until(docs, "SELECT bool_or(armed) FROM rowvec_internal.daemon", True)
        proxy.cut_at(ACK, moment)
        docs.execute("INSERT INTO docs VALUES (1, 'lone')")
        assert_in_step(docs, "docs", 1)
        assert proxy.cuts == 1


def test_a_server_that_is_away_for_a_while(docs: psycopg.Connection, database_url: str) -> None:
    with Proxy(database_url) as proxy, daemon(proxy.url, lease_seconds=5.0, poll_seconds=0.1):
        docs.execute("INSERT INTO docs VALUES (1, 'before')")
        assert_in_step(docs, "docs", 1)
        target, proxy._target = proxy._target, "/nowhere"
        proxy.cut()
        docs.execute("INSERT INTO docs VALUES (2, 'meanwhile')")
        until(docs, "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'rowvec claim'", 0)
        proxy._target = target
        assert_in_step(docs, "docs", 2)
        until(docs, "SELECT bool_or(armed) FROM rowvec_internal.daemon", True)  # and it listens again


def test_a_server_that_keeps_the_line_and_never_answers(
    docs: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TCP acknowledges every byte, so neither keepalives nor tcp_user_timeout see anything."""
    monkeypatch.setattr(connections, "_STATEMENT_SECONDS", 1.0)
    monkeypatch.setattr(connections, "_GRACE_SECONDS", 0.5)
    with Proxy(database_url) as proxy, daemon(proxy.url, lease_seconds=1.0, poll_seconds=0.1):
        docs.execute("INSERT INTO docs VALUES (1, 'before')")
        assert_in_step(docs, "docs", 1)
        until(docs, "SELECT bool_or(armed) FROM rowvec_internal.daemon", True)
        proxy.stall()
        docs.execute("INSERT INTO docs SELECT g, 'meanwhile' FROM generate_series(2, 50) g")
        assert_in_step(docs, "docs", 50)
    assert docs.execute("SELECT count(*) FROM rowvec_internal.dead").fetchone() == (0,)


def test_every_connection_is_terminated_again_and_again(docs: psycopg.Connection, database_url: str) -> None:
    ours = "application_name LIKE 'rowvec %' AND datname = current_database()"
    names = set()
    with daemon(database_url, lease_seconds=5.0, poll_seconds=0.1):
        for turn in range(5):
            # Enough rows for the pipe: a lone one is written over the connection that claimed it.
            docs.execute("INSERT INTO docs SELECT 20 * %s + g, 'turn' FROM generate_series(1, 20) g", (turn,))
            until(docs, f"SELECT count(*)::int FROM pg_stat_activity WHERE {ours}", 4)
            names |= {
                row[0]
                for row in docs.execute(
                    f"SELECT application_name, pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}".encode()
                )
            }
            assert_in_step(docs, "docs", 20 * (turn + 1))
    assert names == {"rowvec claim", "rowvec write", "rowvec listener", "rowvec housekeeper"}
