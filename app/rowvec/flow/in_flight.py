"""What is claimed and not yet written: it is renewed while it lasts, and waited for."""

from __future__ import annotations

import time
from threading import Condition, Event

from rowvec.flow.change_log import ChangeLog
from rowvec.flow.plan import Work

_LONGEST_BATCH_LEASES = 10  # after so many a claim is no longer renewed: a model that hangs must not hold it for ever


class InFlight:
    """What is claimed and not yet written, each with the monotonic time of its claim; safe for any thread."""

    def __init__(self) -> None:
        self._works: dict[int, tuple[Work, float]] = {}
        self._changed = Condition()

    def add(self, work: Work) -> bool:
        """Add a claim; return whether it is the only one."""
        with self._changed:
            self._works[id(work)] = (work, time.monotonic())
            return len(self._works) == 1

    def remove(self, work: Work) -> None:
        """A claim is written, or given back."""
        with self._changed:
            self._works.pop(id(work), None)
            self._changed.notify_all()

    def __bool__(self) -> bool:
        """Is there any?"""
        return bool(self._works)

    def renew(self, change_log: ChangeLog) -> None:
        """Renew the leases of which a third is over."""
        lease, now = change_log.lease.total_seconds(), time.monotonic()
        with self._changed:
            works = list(self._works.values())
        for work, claimed_at in works:
            if lease / 3 < now - claimed_at < _LONGEST_BATCH_LEASES * lease:
                change_log.renew(work.source, work.lane, work.changes)

    def drain(self, stop: Event) -> None:
        """Wait until there are none, or `stop` is set."""
        with self._changed:
            while self._works and not stop.is_set():
                self._changed.wait(timeout=0.5)
