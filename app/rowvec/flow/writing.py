"""The writing thread: vectors and acks to the database; what cannot be written goes back to the log."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from threading import Event

from rowvec.database.connection import Link
from rowvec.errors import RowvecError, ServerUnreachable
from rowvec.flow.change_log import ChangeLog
from rowvec.flow.embed import Embedded
from rowvec.flow.records import Acked
from rowvec.flow.shared import Shared

log = logging.getLogger(__name__)

_STOP_SECONDS = 5.0  # after a stop, how long to wait for a lost server; then the leases run out by themselves


def write_loop(shared: Shared) -> None:
    """Write what comes until None comes; while the server is lost, try again: the fence makes a second ack harmless."""
    link = Link(shared.url, "rowvec write", Event(), lookups=True)
    while (embedded := shared.to_write.get()) is not None:
        give_up_at = float("inf")
        while time.monotonic() < give_up_at:
            try:
                write(shared, shared.change_log(link.get()), embedded)
                break
            except ServerUnreachable as error:
                if shared.stop.is_set():
                    give_up_at = min(give_up_at, time.monotonic() + _STOP_SECONDS)
                link.lost(error)
        shared.in_flight.remove(embedded.work)
    link.close()


def write(shared: Shared, change_log: ChangeLog, embedded: Embedded) -> None:
    """Write a claim or give it back; only ServerUnreachable is raised."""
    work = embedded.work
    try:
        if embedded.fault:
            return change_log.give_back(work.source, work.lane, work.changes, embedded.fault)
        acked = change_log.ack(
            work.source, work.lane, work.changes, embedded.results, embedded.matrix, unfinished=embedded.unfinished
        )
        change_log.fail(work.source, work.lane, embedded.failures)
    except ServerUnreachable:
        raise
    except RowvecError as error:  # disk full, a lock, a vector table that is gone: no text is to blame
        shared.schedule.pause(work.source, error)
        with suppress(RowvecError):
            change_log.give_back(work.source, work.lane, work.changes, error)
        return None
    if acked.again_seconds is not None:
        shared.schedule.again_at = min(shared.schedule.again_at, time.monotonic() + acked.again_seconds)
        shared.doorbell.ring()
    shared.schedule[work.source.id].pause_seconds = 0.0
    _count(shared, embedded, acked)
    return None


def _count(shared: Shared, embedded: Embedded, acked: Acked) -> None:
    work, statistics = embedded.work, shared.statistics
    statistics.keys.inc(acked.keys)
    statistics.races.inc(acked.released)
    statistics.failed.inc(len(embedded.failures))
    oldest = min((text.claim.enqueued_at.timestamp() for text in work.texts), default=time.time())
    log.info(
        "batch source=%s lane=%s keys=%d texts=%d failed=%d races=%d lag_s=%.3f",
        work.source.name,
        work.lane.name.lower(),
        acked.keys,
        len(work.texts),
        len(embedded.failures),
        acked.released,
        max(0.0, time.time() - oldest),
    )
