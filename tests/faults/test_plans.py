"""A claim costs what it takes, however much waits, and while somebody's transaction keeps vacuum from cleaning up."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from rowvec.database import sources
from rowvec.database.compile import compiled
from rowvec.database.connection import connect
from rowvec.database.protocol import PROTOCOL
from rowvec.database.sources import Source
from rowvec.flow.change_log import ChangeLog
from rowvec.flow.embed import embed
from rowvec.flow.plan import plan
from rowvec.flow.records import Acked, Lane
from tests.fakes import HashEncoder

WAITING, TEXTS = 200_000, 256


def explain(change_log: ChangeLog, source: Source, floor: int) -> tuple[int, int, set[str], float]:
    """What a claim would cost: pages of memory, rows that were looked at in vain, how it reads the log, milliseconds.

    It is rolled back.
    """
    values = {
        "source": source.id, "lane": 0, "daemon": change_log.daemon_id, "lease": change_log.lease,
        "texts": TEXTS, "changes": TEXTS, "floor": floor, "attempts_from": 0, "attempts_below": 1,
        "most": 512,
        "recipe": source.recipe, "protocol": PROTOCOL,
    }  # fmt: skip
    return explained(change_log, compiled(source, "flow/claim"), values)


def explained(change_log: ChangeLog, query: Any, values: Any) -> tuple[int, int, set[str], float]:
    text = query if isinstance(query, bytes) else query.as_string().encode()
    with change_log.connection.transaction(force_rollback=True):
        row = change_log.connection.execute(b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + text, values).fetchone()
    assert row is not None
    top = row[0][0]
    nodes, ways, in_vain = [top["Plan"]], set(), 0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        in_vain += node.get("Actual Loops", 1) * (
            node.get("Rows Removed by Join Filter", 0) + node.get("Rows Removed by Filter", 0)
        )
        if node.get("Relation Name") == "change":
            ways.add(node.get("Index Name", node["Node Type"]))
    pages = top["Plan"]["Shared Hit Blocks"] + top["Plan"]["Shared Read Blocks"]
    return pages, in_vain, ways - {"ModifyTable"}, top["Execution Time"]


def work(change_log: ChangeLog, source: Source, batches: int, floor: int) -> int:
    """Claim and finish some batches as the pipeline does, by the floor; return the new one."""
    for _ in range(batches):
        claims = change_log.claim(source, Lane.LIVE, texts=TEXTS, changes=TEXTS, floor=floor)
        done = embed(plan(source, Lane.LIVE, claims, HashEncoder().measure), HashEncoder())
        assert change_log.ack(source, Lane.LIVE, done.work.changes, done.results, done.matrix).changes == TEXTS
        floor = claims[-1].change.seq
    return floor


def pages_so_far(connection: psycopg.Connection) -> int:
    """How many pages this database's sessions have looked at in tables and their indexes."""
    connection.execute("SELECT pg_stat_force_next_flush()")  # else a session tells its own counts later
    row = connection.execute(
        "SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))::bigint"
        " FROM pg_statio_user_tables"
    ).fetchone()
    assert row is not None
    return int(row[0])


def explain_ack(change_log: ChangeLog, source: Source, floor: int) -> tuple[int, int, set[str], float]:
    """What an ack would cost."""
    claims = change_log.claim(source, Lane.LIVE, texts=TEXTS, changes=TEXTS, floor=floor)
    done = embed(plan(source, Lane.LIVE, claims), HashEncoder())
    costs = []

    def run(_row: Any, query: Any, source: Source, lane: Lane, *, prepare: bool, **values: object) -> list[Acked]:
        assert prepare
        values |= {"source": source.id, "lane": int(lane), "daemon": change_log.daemon_id}
        costs.append(explained(change_log, query, values))
        return [Acked(TEXTS, TEXTS, 0, TEXTS)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(change_log, "_fetch", run)
        change_log.ack(source, Lane.LIVE, done.work.changes, done.results, done.matrix)
    return costs[0]


@pytest.mark.slow
@pytest.mark.parametrize("analysed", [True, False])
def test_a_claim_reads_what_it_takes(docs: psycopg.Connection, database_url: str, analysed: bool) -> None:
    """Also where nobody has told the planner that the log is full: then a join by key read all of it for each row."""
    docs.execute("DELETE FROM rowvec_internal.backfill")
    docs.execute(
        "INSERT INTO rowvec_internal.change (source_id, keys) SELECT 1, ARRAY[g::text] FROM generate_series(1, %s) g",
        (WAITING,),
    )
    if analysed:
        docs.execute("ANALYZE rowvec_internal.change")
    source = sources.find(docs, "docs")
    with (
        connect(database_url, lookups=True) as connection,
        psycopg.connect(database_url) as holder,
    ):
        change_log = ChangeLog(connection, 1, lease_seconds=60.0, max_attempts=5)
        few = explain(change_log, source, 0)
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM docs")  # from here on nothing that is finished can be cleaned up
        floor = work(change_log, source, 60, 0)
        late = explain(change_log, source, floor)
        swept = explain(change_log, source, 0)
        ack = explain_ack(change_log, source, floor)
        print(f"waiting={WAITING} first={few} behind_a_floor={late} from_the_beginning={swept} ack={ack}")
    for pages, in_vain, ways, _ in (few, late, ack):
        assert ways == {"change_pkey", "Tid Scan"}
        assert in_vain < 10 * TEXTS
        assert pages < 30 * TEXTS
    assert late[0] < 2 * few[0]
    assert swept[0] > late[0]  # what the floor is for


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["table", "chunks", "column"], indirect=True)
def test_what_was_prepared_over_empty_tables_serves_full_ones(
    docs: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody analyses anything meanwhile. A plan for a small log took 1.5 s a claim, one for small tables 40 ms."""
    # Our own setting of the role would throw the plans away; a server where we may not set it keeps them.
    monkeypatch.setattr(
        "rowvec.flow.change_log.compiled",
        lambda *given: compiled(*given).replace(b"has_parameter_privilege", b"false AND has_parameter_privilege"),
    )
    docs.execute("DELETE FROM rowvec_internal.backfill")
    source = sources.find(docs, "docs")
    with connect(database_url, lookups=True) as connection:
        change_log = ChangeLog(connection, 1, lease_seconds=60.0, max_attempts=5)
        for key in range(10):  # after five PostgreSQL keeps a plan for good
            docs.execute("INSERT INTO docs VALUES (%s, 'text')", (-key,))
            claims = change_log.claim(source, Lane.LIVE, texts=1, changes=1)
            done = embed(plan(source, Lane.LIVE, claims, HashEncoder().measure), HashEncoder())
            assert change_log.ack(source, Lane.LIVE, done.work.changes, done.results, done.matrix).changes == 1
        prepared = "SELECT count(*), bool_and(generic_plans > 0) FROM pg_prepared_statements"
        assert connection.execute(prepared).fetchone() == (2, True)
        docs.execute("INSERT INTO docs SELECT g, 'text' FROM generate_series(1, %s) g", (WAITING,))
        docs.execute("DELETE FROM rowvec_internal.change")
        docs.execute(
            "INSERT INTO rowvec_internal.change (source_id, keys) SELECT 1, ARRAY[g::text] FROM"
            " generate_series(1, %s) g",
            (WAITING,),
        )
        before = pages_so_far(connection)
        work(change_log, source, 20, 0)
        pages = (pages_so_far(connection) - before) / 20
        print(f"pages of a batch={pages:.0f}")
        assert pages < 100 * TEXTS
