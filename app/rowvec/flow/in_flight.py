"""What is claimed and not yet written: it is renewed while it lasts, and waited for."""

from __future__ import annotations

import time
from threading import Condition, Event

from rowvec.flow.plan import Work


class InFlight:
    """What is claimed and not yet written; safe for any thread."""

    def __init__(self) -> None:
        """Nothing yet."""
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

    def works(self) -> list[tuple[Work, float]]:
        """Return the claims, with the monotonic time of each."""
        with self._changed:
            return list(self._works.values())

    def drain(self, stop: Event) -> None:
        """Wait until there are none, or `stop` is set."""
        with self._changed:
            while self._works and not stop.is_set():
                self._changed.wait(timeout=0.5)
