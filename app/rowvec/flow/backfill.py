"""The backfill: a pass over a source's keys, a window at a time, resumable after each; live changes overtake it.

The triggers are there before the pass begins, so a row that is written meanwhile is in the log as a live change, and no
gap is left. The log never holds more than a window of the pass, whatever the size of the table.
"""

from __future__ import annotations

from psycopg import Connection

from rowvec.database.compile import compiled
from rowvec.database.sources import Source
from rowvec.database.statements import statement
from rowvec.database.translate import translated


def advance(connection: Connection, source: Source, *, window: int) -> bool:
    """Log the next keys of a source's pass if less than half a window waits; return whether the pass goes on.

    One short transaction; a source that another daemon is working on at this moment is left alone.
    """
    values = {"source": source.id}
    with translated():
        row = connection.execute(statement("flow/backfill_waiting"), values).fetchone()
        waiting = row[0] if row else 0
        if waiting > window // 2:
            return True
        with connection.transaction():
            state = connection.execute(statement("flow/backfill_lock"), values).fetchone()
            if state is None:
                return False
            phase, recheck, cursor = state
            page = compiled(source, f"flow/backfill_{phase}", after_cursor=cursor is not None)
            row = connection.execute(page, {**values, "limit": window - waiting, "cursor": cursor}).fetchone()
            assert row is not None
            seen, last, logged = row
            if seen < window - waiting:  # the end of this phase; a recheck also looks for vectors without a row
                phase, last = ("vectors", None) if phase == "rows" and recheck else ("done", last)
            connection.execute(
                statement("flow/backfill_advance"), {**values, "phase": phase, "cursor": last, "enqueued": logged}
            )
    return bool(phase != "done")
