"""Builds the HNSW indexes that sources were watched with `index => 'auto'` for, in a thread beside the pipeline.

due -> building -> there. A build that ended early, by a lost server or a killed daemon, leaves an invalid index behind:
its source is due again, and the next build drops it. One at a time over all daemons:
rowvec.search.index_build holds an advisory lock.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from psycopg import Connection

from rowvec.database.connection import connect
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import RowvecError
from rowvec.search.index_build import BuildGoesOn, build
from rowvec.search.index_plan import plan

RETRY_SECONDS = 60.0  # after a build that failed
LOOK_SECONDS = 5.0

log = logging.getLogger(__name__)


class Stopped(RowvecError):
    """The daemon ends; what is left of the build is dropped by the next one."""


class Indexer:
    """One build at a time; `look` is called now and then and takes a millisecond."""

    def __init__(self, url: str, rows: int, stop: Event) -> None:
        """Take a direct connection's URL, the rows from which on an index is worth it, and what ends a build early."""
        self._url, self._rows, self._stop = url, rows, stop
        self._thread: Thread | None = None
        self._look_at = 0.0
        self._retry_at: dict[str, float] = {}

    def look(self, connection: Connection, *, at_once: bool = False) -> bool:
        """Start the next build that is due, every few seconds at most; return whether one runs."""
        if self._thread is not None and self._thread.is_alive():
            return True
        now = time.monotonic()
        if now < self._look_at and not at_once:
            return False
        self._look_at = now + LOOK_SECONDS
        with translated():
            due = [row[0] for row in connection.execute(statement("daemon/index_due"), {"rows": self._rows}).fetchall()]
        due = [name for name in due if self._retry_at.get(name, 0.0) <= now]
        if due:
            self._thread = Thread(target=self._build, args=(due[0],), name="rowvec indexer")
            self._thread.start()
        return bool(due)

    def join(self) -> None:
        """Wait for the thread's end; `stop` is set."""
        if self._thread is not None:
            self._thread.join()

    def _build(self, source: str) -> None:
        began = time.monotonic()
        try:
            with connect(self._url, application="rowvec index") as connection:
                chosen = plan(connection, source)
            for warning in chosen.warnings:
                log.warning("index source=%s: %s", source, warning)
            log.info("index source=%s kind=%s rows=%d: building", source, chosen.kind, chosen.facts.rows)
            name = build(self._url, chosen, on_progress=_until(self._stop))
            log.info("index source=%s name=%s seconds=%.1f", source, name, time.monotonic() - began)
        except Stopped:
            log.info("index source=%s: left for the next daemon", source)
        except BuildGoesOn as error:
            log.debug("index source=%s: %s", source, error)
        except RowvecError as error:
            self._retry_at[source] = time.monotonic() + RETRY_SECONDS
            log.warning("index source=%s: %s; again in %.0f s", source, error.with_hint, RETRY_SECONDS)


def _until(stop: Event) -> Callable[[str, float], None]:
    """Return a callback that ends the build soon after `stop` is set."""

    def check(_phase: str, _share: float) -> None:
        if stop.is_set():
            raise Stopped("the daemon ends")

    return check
