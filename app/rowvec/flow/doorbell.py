"""The doorbell: LISTEN on a connection of its own wakes the claiming thread; polls find what did not ring.

After arming, the sleeper polls at short and growing intervals (the ladder), then every `poll_seconds`: a user's
transaction that looked before we armed and commits after it does not ring. Who stays armed needs no second ladder.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from threading import Event, Thread

from rowvec.database.connection import Link, Session, connect
from rowvec.database.translate import translated
from rowvec.errors import RowvecError
from rowvec.settings import Settings

log = logging.getLogger(__name__)

CHANNEL = "rowvec"
CATALOGUE = "catalogue"  # the payload when the sources changed, not rows; to read them takes 2.5 ms
LADDER_SECONDS = (0.02, 0.05, 0.1, 0.25)
_SELF_TEST_SECONDS = 2.0


class Doorbell:
    """Ends `wait` when the database rings, and after a while in any case."""

    def __init__(
        self, url: str, settings: Settings, stop: Event, on_catalogue: Callable[[], None] = lambda: None
    ) -> None:
        """Take the URL of a direct connection: a pooler in transaction mode swallows LISTEN without an error."""
        self._settings, self._stop, self._on_catalogue = settings, stop, on_catalogue
        self._link = Link(url, "rowvec listener", stop)
        self._url = url
        self._rung = Event()
        self._step = 0
        self.deaf = True  # until LISTEN is known to work here; then it only polls, and nobody needs to ring
        self._thread = Thread(target=self._listen, name="doorbell", daemon=True)

    def start(self) -> None:
        """Start the listening thread."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread's end; it looks at `stop` twice a second."""
        self._thread.join(timeout=5)

    def ring(self) -> None:
        """End `wait` from inside this process."""
        self._step = 0
        self._rung.set()

    def wait(self, at_most: float = float("inf")) -> bool:
        """Sleep until it rings, for the next interval of the ladder or `at_most` seconds; return whether it rang."""
        ladder = (*LADDER_SECONDS, self._settings.poll_seconds)
        step = min(ladder[min(self._step, len(ladder) - 1)], self._settings.poll_seconds)
        rang = self._rung.wait(timeout=max(0.0, min(step, at_most)))
        self._step += not rang
        return rang

    def begin_ladder(self) -> None:
        """Poll at short intervals again, after arming."""
        self._step = 0

    def clear(self) -> None:
        """Forget earlier rings; called before the last look at the log, so that none is missed."""
        self._rung.clear()

    def _listen(self) -> None:
        tested = False
        while not self._stop.is_set():
            try:
                connection = self._link.get()
                if not tested:
                    self.deaf, tested = self._is_deaf(connection), True
                    if self.deaf:
                        return self._link.close()
                with translated():
                    connection.execute(f"LISTEN {CHANNEL}")
                self._rung.set()  # it may have rung before we listened
                while not self._stop.is_set():
                    with translated():
                        for notice in connection.notifies(timeout=0.5, stop_after=1):
                            self._rung.set()
                            if notice.payload == CATALOGUE:
                                self._on_catalogue()
            except RowvecError as error:
                self._link.lost(error)
        self._link.close()
        return None

    def _is_deaf(self, connection: Session) -> bool:
        """Return whether nobody should ring, or we would not hear it; log why."""
        poll_s = self._settings.poll_seconds
        with translated():
            if self._settings.doorbell == "off":
                log.info("doorbell off: polling every %g s", poll_s)
                return True
            row = connection.execute("SHOW max_prepared_transactions").fetchone()
            if self._settings.doorbell == "auto" and row != ("0",):
                log.info(
                    "doorbell off, polling every %g s: two-phase commit is on here, and a transaction that has notified"
                    " cannot be prepared; ROWVEC_DOORBELL=on if nobody uses it",
                    poll_s,
                )
                return True
            # From another connection: PgBouncer returns a connection's own notification with the result of its NOTIFY,
            # so that would be heard even where LISTEN does not work. On a channel of its own, in case it stays behind.
            channel = f"rowvec_test_{secrets.token_hex(4)}"
            connection.execute(f"LISTEN {channel}")
            with connect(self._url, application="rowvec listener") as other:
                other.execute(f"NOTIFY {channel}")
            heard = any(True for _ in connection.notifies(timeout=_SELF_TEST_SECONDS, stop_after=1))
            connection.execute(f"UNLISTEN {channel}")
        if not heard:
            log.warning(
                "LISTEN is dead on this connection, most likely behind a pooler in transaction mode (PgBouncer):"
                " polling every %g s; name a direct connection in ROWVEC_LISTEN_URL",
                poll_s,
            )
        return not heard
