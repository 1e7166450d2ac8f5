"""The doorbell: LISTEN on a connection of its own wakes sleeping threads; polls are the floor under it.

A NOTIFY is a wake-up, never the truth. After arming, the sleeper polls on a short ladder, then at `poll_seconds`: a
user's transaction that looked before we armed and commits after it does not ring, and the ladder covers it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

import psycopg

from app import db
from app.errors import RowvecError
from app.settings import Settings

log = logging.getLogger(__name__)

CHANNEL = "rowvec"
LADDER_SECONDS = (0.02, 0.05, 0.1, 0.25)
_SELF_TEST_SECONDS = 2.0


class Doorbell:
    """Wakes whoever waits on it when the database rings, and after a while in any case."""

    def __init__(self, url: str, settings: Settings, stop: Event, on_ring: Callable[[], None] = lambda: None) -> None:
        """Take the URL of a direct connection: a pooler in transaction mode swallows LISTEN without an error."""
        self._settings, self._stop, self._on_ring = settings, stop, on_ring
        self._link = db.Link(url, "rowvec listener", stop)
        self._url = url
        self._rung = Event()
        self._step = 0
        self.deaf = False  # LISTEN does not work here: polls only, and nobody needs to ring
        self._thread = Thread(target=self._listen, name="doorbell", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the listener's end; it looks at `stop` twice a second."""
        self._thread.join(timeout=5)

    def ring(self) -> None:
        """Wake the sleeper from inside this process."""
        self._rung.set()

    def wait(self) -> bool:
        """Sleep until it rings, or the next step of the ladder; return whether it rang."""
        ladder = (*LADDER_SECONDS, self._settings.poll_seconds)
        rang = self._rung.wait(timeout=min(ladder[min(self._step, len(ladder) - 1)], self._settings.poll_seconds))
        self._step = 0 if rang else self._step + 1
        return rang

    def clear(self) -> None:
        """Forget earlier rings: called before the look that decides whether to sleep, so that none is missed."""
        self._rung.clear()

    def _listen(self) -> None:
        tested = False
        while not self._stop.is_set():
            try:
                connection = self._link.get()
                with db.translated():
                    connection.execute(f"LISTEN {CHANNEL}")
                if not tested:
                    self.deaf, tested = not self._hears_itself(connection), True
                    if self.deaf:
                        log.warning(
                            "LISTEN is dead on this connection, most likely behind a pooler in transaction mode "
                            "(PgBouncer): polling every %g s; name a direct connection in ROWVEC_LISTEN_URL",
                            self._settings.poll_seconds,
                        )
                        return self._link.close()
                self._rung.set()  # what was rung while we were away is unknown
                while not self._stop.is_set():
                    with db.translated():
                        for _ in connection.notifies(timeout=0.5, stop_after=1):
                            self._rung.set()
                            self._on_ring()
            except RowvecError as error:
                self._link.lost(error)
        self._link.close()
        return None

    def _hears_itself(self, connection: psycopg.Connection) -> bool:
        with db.translated():
            connection.execute(f"NOTIFY {CHANNEL}")
            return any(True for _ in connection.notifies(timeout=_SELF_TEST_SECONDS, stop_after=1))
