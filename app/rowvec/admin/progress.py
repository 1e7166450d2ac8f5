"""How far a source's backfill is, as a progress bar with rows/s and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable

from psycopg import Connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from rowvec.client import Client, SourceStatus
from rowvec.errors import SourceError

POLL_SECONDS = 0.2


class RowsPerSecond(ProgressColumn):
    """The rate, in rows/s."""

    def render(self, task: Task) -> Text:
        """Show the rate of the last moments."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="progress.data.speed")


def read(connection: Connection, source: str) -> SourceStatus:
    """Return a source's state; SourceError when it is not there, or cannot go on."""
    found = Client(connection).status(source)
    if not found:
        raise SourceError(f'there is no source "{source}"', hint="`rowvec status` lists them.")
    if found[0].state != "active":
        raise SourceError(f'source "{source}" is {found[0].state}', hint=found[0].problem)
    return found[0]


def follow(connection: Connection, source: str, console: Console, check: Callable[[], None]) -> int:
    """Show a source's backfill until nothing waits; return how many keys it has embedded.

    `check` is called at every look, and raises when the work cannot go on.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RowsPerSecond(), TextColumn("ETA"))
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(source, total=None)
        while True:
            check()
            now = read(connection, source)
            logged = now.backfill_enqueued or 0
            total = max(logged, now.backfill_estimate or 0)  # the planner's estimate, until more were seen
            bar.update(task, total=total or None, completed=max(0, logged - now.pending))
            if now.pending == 0 and now.backfill in (None, "done"):
                bar.update(task, total=total, completed=total)
                return total
            time.sleep(POLL_SECONDS)
