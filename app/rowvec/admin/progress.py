"""A source's backfill as data, and as a progress bar with rows/s and ETA."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import class_row
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from rowvec.database.statements import rows, statement
from rowvec.errors import SourceError

POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Backfill:
    """How far a source is; counts are keys."""

    state: str
    problem: str | None
    pending: int
    dead: int
    backfill: str | None
    backfill_enqueued: int | None
    backfill_estimate: int | None
    daemons: int

    @property
    def total(self) -> int:
        """Keys to embed, as far as is known: the planner's estimate until the backfill has seen more."""
        return max(self.backfill_estimate or 0, self.backfill_enqueued or 0)

    @property
    def done(self) -> int:
        """Keys of the backfill that are embedded."""
        return max(0, (self.backfill_enqueued or 0) - self.pending)

    @property
    def finished(self) -> bool:
        """Say whether nothing waits any more."""
        return self.pending == 0 and self.backfill in (None, "done")


class RowsPerSecond(ProgressColumn):
    """The rate, in rows/s."""

    def render(self, task: Task) -> Text:
        """Show the rate of the last moments."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="progress.data.speed")


def read(connection: Connection, source: str) -> Backfill:
    """Return how far a source is; SourceError when it is not there, or cannot go on."""
    found = rows(connection, class_row(Backfill), statement("admin/status_one"), [source])
    if not found:
        raise SourceError(f'there is no source "{source}"', hint="`rowvec status` lists them.")
    if found[0].state != "active":
        raise SourceError(f'source "{source}" is {found[0].state}', hint=found[0].problem)
    return found[0]


def follow(connection: Connection, source: str, console: Console, check: Callable[[], None]) -> Backfill:
    """Show a source's backfill until nothing waits; return the last state.

    `check` is called at every look, and raises when the work cannot go on.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RowsPerSecond(), TextColumn("ETA"))
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(source, total=None)
        while True:
            check()
            now = read(connection, source)
            bar.update(task, total=now.total or None, completed=now.done)
            if now.finished:
                bar.update(task, total=now.total, completed=now.total)
                return now
            time.sleep(POLL_SECONDS)
