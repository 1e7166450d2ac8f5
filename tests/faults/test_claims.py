"""What a crash of the server may do to numbers: a claim from before it must not finish a change from after it."""

from __future__ import annotations

import psycopg

from rowvec.daemon.registration import Registration
from rowvec.database import sources
from rowvec.database.connection import connect
from rowvec.database.sources import Source
from rowvec.flow.change_log import ChangeLog
from rowvec.flow.embed import embed
from rowvec.flow.plan import plan
from rowvec.flow.records import Acked, Claim, Lane
from tests.fakes import HashEncoder
from tests.servers import Server, wait_for_server


def finish(change_log: ChangeLog, source: Source, claims: list[Claim]) -> Acked:
    """Encode and write, as the pipeline does."""
    done = embed(plan(source, Lane.LIVE, claims), HashEncoder())
    return change_log.ack(source, Lane.LIVE, done.work.changes, done.results, done.matrix)


def test_a_claim_from_before_a_crash_finishes_nothing(docs: psycopg.Connection, database_url: str) -> None:
    """What was committed asynchronously is lost, and its numbers are given out again, to the same daemon."""
    source = sources.find(docs, "docs")
    docs.execute("DELETE FROM rowvec_internal.backfill")
    with connect(database_url) as connection:
        change_log = ChangeLog(connection, 1, lease_seconds=30.0, max_attempts=3)
        with docs.transaction(force_rollback=False):
            docs.execute("INSERT INTO docs VALUES (1, 'lost in the crash')")
        before = change_log.claim(source, Lane.LIVE, texts=10, changes=10)
        seq = before[0].change.seq
        docs.execute("DELETE FROM rowvec_internal.change")
        docs.execute("SET session_replication_role = replica; DELETE FROM docs; RESET session_replication_role")
        docs.execute("SELECT setval('rowvec_internal.change_seq', %s, false)", (seq,))
        docs.execute("INSERT INTO docs VALUES (2, 'written after it')")
        after = change_log.claim(source, Lane.LIVE, texts=10, changes=10)
        assert [claim.change.seq for claim in after] == [seq]
        assert finish(change_log, source, before) == Acked(0, 0, 0)
        change_log.give_back(source, Lane.LIVE, [before[0].change])
        assert finish(change_log, source, after) == Acked(1, 1, 0)


def test_no_number_of_a_daemon_is_given_out_again_by_a_crash(
    docs: psycopg.Connection, database_url: str, server: Server
) -> None:
    """The one that lives on would write its heartbeat under it, and the new one could not register."""
    numbers = []
    for _ in range(3):
        wait_for_server(database_url)
        with connect(database_url) as connection:
            connection.execute("CHECKPOINT")
            starting = Registration()
            starting.register(connection)
            numbers.append(starting.daemon_id)
            server.crash()
    wait_for_server(database_url)
    assert len(set(numbers)) == 3
