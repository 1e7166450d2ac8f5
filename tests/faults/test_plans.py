"""A claim costs what it takes, however much waits, and while somebody's transaction keeps vacuum from cleaning up."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from app import db, sources
from app.embedding import embed
from app.plan import plan
from app.queue import Lane, Queue
from app.sources import Source, compiled
from tests.fakes import HashEncoder

WAITING, TEXTS = 200_000, 256


def explain(queue: Queue, source: Source, floor: int) -> tuple[int, set[str], float]:
    """What a claim would cost: pages of memory, the indexes it uses on the log, milliseconds. It is rolled back."""
    values = {
        "source": source.id, "lane": 0, "worker": queue.worker, "lease": queue.lease, "texts": TEXTS, "changes": TEXTS,
        "floor": floor, "attempts_from": 0, "attempts_below": 1,
    }  # fmt: skip
    query: Any = compiled(source, "claim")
    text = query if isinstance(query, bytes) else query.as_string().encode()
    with queue.connection.transaction(force_rollback=True):
        row = queue.connection.execute(b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + text, values).fetchone()
    assert row is not None
    top = row[0][0]
    nodes, indexes = [top["Plan"]], set()
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") == "change":
            indexes.add(node.get("Index Name", node["Node Type"]))
    pages = top["Plan"]["Shared Hit Blocks"] + top["Plan"]["Shared Read Blocks"]
    return pages, indexes - {"ModifyTable"}, top["Execution Time"]


def work(queue: Queue, source: Source, batches: int, floor: int) -> int:
    """Claim and finish some batches as the pipeline does, by the floor; return the new one."""
    for _ in range(batches):
        claims = queue.claim(source, Lane.LIVE, texts=TEXTS, changes=TEXTS, floor=floor)
        done = embed(plan(source, Lane.LIVE, claims), HashEncoder())
        assert queue.ack(source, Lane.LIVE, done.work.changes, done.results, done.matrix).changes == TEXTS
        floor = claims[-1].change.seq
    return floor


@pytest.mark.slow
def test_a_claim_reads_what_it_takes(docs: psycopg.Connection, database_url: str) -> None:
    docs.execute("DELETE FROM rowvec.backfill")
    docs.execute(
        "INSERT INTO rowvec.change (source_id, keys) SELECT 1, ARRAY[g::text] FROM generate_series(1, %s) g", (WAITING,)
    )
    docs.execute("ANALYZE rowvec.change")
    source = sources.find(docs, "docs")
    with (
        db.connect(database_url) as connection,
        psycopg.connect(database_url) as holder,
    ):
        queue = Queue(connection, 1, lease_seconds=60.0, max_attempts=5)
        few = explain(queue, source, 0)
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM docs")  # from here on nothing that is finished can be cleaned up
        floor = work(queue, source, 60, 0)
        late = explain(queue, source, floor)
        swept = explain(queue, source, 0)
        print(f"waiting={WAITING} first={few} behind_a_floor={late} from_the_beginning={swept}")
    for pages, indexes, _ in (few, late):
        assert indexes == {"change_pkey"}
        assert pages < 30 * TEXTS
    assert late[0] < 2 * few[0]
    assert swept[0] > late[0]  # what the floor is for
