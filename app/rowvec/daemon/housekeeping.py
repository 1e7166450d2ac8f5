"""What keeps the catalogue, the change log and the vector tables in order, beside the pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from psycopg import Connection

from rowvec.database.compile import compiled
from rowvec.database.sources import Source
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import DatabaseError
from rowvec.flow import backfill
from rowvec.flow.retry_tiers import deadly_tries
from rowvec.settings import Settings

log = logging.getLogger(__name__)


class Housekeeping:
    """The tasks; an error with one source is logged, and the next one's turn comes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._problems: dict[int, str | None] = {}

    def resolve(self, connection: Connection, sources: Iterable[Source]) -> None:
        """Compare sources with the system catalogue: renames are followed, problems are shown in rowvec.status."""
        for source in sources:
            try:
                with translated():
                    row = connection.execute(statement("flow/resolve"), {"source": source.id}).fetchone()
            except DatabaseError as error:
                row = (str(error),)
            problem = row[0] if row is not None else None
            if problem != self._problems.get(source.id):
                self._problems[source.id] = problem
                log.log(logging.WARNING if problem else logging.INFO, "source=%s problem: %s", source.name, problem)

    def advance_backfills(self, connection: Connection, sources: Iterable[Source]) -> bool:
        """Log the next window of each source's backfill; return whether any goes on."""
        going = False
        for source in sources:
            try:
                going |= backfill.advance(connection, source, window=self._settings.backfill_window)
            except DatabaseError as error:
                log.error("backfill source=%s %s", source.name, error)
        return going

    def tidy(self, connection: Connection, sources: Iterable[Source]) -> None:
        """Do what one daemon at a time does: bury, free what a clock holds, ask for rechecks, purge tombstones."""
        lease, every = self._settings.lease_seconds, self._settings.recheck_seconds
        with translated(), connection.transaction():
            if connection.execute(statement("daemon/housekeeping_lock")).fetchone() != (True,):
                return
            tries = deadly_tries(self._settings.max_attempts)
            connection.execute(statement("daemon/bury_crashed"), {"tries": tries})
            connection.execute(statement("daemon/after_clock_jump"), {"lease": timedelta(seconds=lease)})
            if every:
                connection.execute(statement("daemon/recheck_due"), {"every": timedelta(seconds=every)})
        with translated():  # not in that transaction: if we froze before its COMMIT, other daemons could not arm
            connection.execute(statement("daemon/forget_daemons"))
        for source in sources:
            try:
                with translated():
                    connection.execute(compiled(source, "daemon/purge"), {"source": source.id})
            except DatabaseError as error:
                log.error("purge source=%s %s", source.name, error)
