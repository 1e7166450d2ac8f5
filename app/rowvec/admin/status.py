"""Every source's state as data and as a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from rich.console import Console
from rich.live import Live
from rich.table import Table

from rowvec.database.statements import statement
from rowvec.database.translate import translated


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One row of rowvec.status; counts are keys, `lag_seconds` is the age of the oldest live change that waits."""

    name: str
    table_name: str
    model: str
    state: str
    pending: int
    leased: int
    retrying: int
    dead: int
    lag_seconds: float
    backfill: str | None
    backfill_enqueued: int | None
    backfill_estimate: int | None
    daemons: int
    problem: str | None
    index: str  # there, building, invalid, auto (a daemon is to build it) or none
    truncated: int

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


def read(connection: Connection) -> list[SourceStatus]:
    """Return the state of every source, by name."""
    with translated(), connection.cursor(row_factory=class_row(SourceStatus)) as cursor:
        return cursor.execute(statement("admin/status")).fetchall()


def table(rows: Sequence[SourceStatus]) -> Table:
    """Return the states as a table for a terminal; what needs attention is red."""
    made = Table(
        "source", "table", "model", "state", "waiting", "retrying", "dead", "cut", "lag", "backfill", "index", "daemons"
    )
    for row in rows:
        made.add_row(
            row.name,
            row.table_name,
            row.model,
            f"[red]{row.state}: {row.problem or ''}" if row.problem or row.state != "active" else row.state,
            f"{row.pending:,}",
            f"{row.retrying:,}",
            f"[red]{row.dead:,}" if row.dead else "0",
            f"{row.truncated:,}",
            f"{row.lag_seconds:.1f} s",
            _backfill(row),
            row.index if row.index != "invalid" else "[red]invalid",
            str(row.daemons) if row.daemons else "[red]0",
        )
    if not rows:
        made.caption = "Nothing is watched yet: SELECT rowvec.watch('table', 'column');"
    return made


def watch(connection: Connection, console: Console, seconds: float = 1.0) -> None:
    """Show the table again every so many seconds, until Ctrl-C."""
    with Live(table(read(connection)), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(seconds)
            live.update(table(read(connection)), refresh=True)


def _backfill(row: SourceStatus) -> str:
    if row.backfill is None or row.backfill == "done":
        return row.backfill or ""
    return f"{row.backfill_enqueued or 0:,} of about {row.backfill_estimate or 0:,}"
