"""The doorbell: LISTEN on a connection of its own wakes sleeping threads; polls are the floor under it.

A NOTIFY is a wake-up, never the truth. After arming, the sleeper polls on a short ladder, then at `poll_seconds`: a
user's transaction that looked before we armed and commits after it does not ring, and the ladder covers it. Who stays
armed through a change needs no second ladder.
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
CATALOGUE = "catalogue"  # the payload when it is not rows that changed; to read the catalogue takes 2.5 ms
LADDER_SECONDS = (0.02, 0.05, 0.1, 0.25)
_SELF_TEST_SECONDS = 2.0


class Doorbell:
    """Wakes whoever waits on it when the database rings, and after a while in any case."""

    def __init__(
        self, url: str, settings: Settings, stop: Event, on_catalogue: Callable[[], None] = lambda: None
    ) -> None:
        """Take the URL of a direct connection: a pooler in transaction mode swallows LISTEN without an error."""
        self._settings, self._stop, self._on_catalogue = settings, stop, on_catalogue
        self._link = Link(url, "rowvec listener", stop)
        self._url = url
        self._rung = Event()
        self._step = 0
        self.deaf = True  # until LISTEN is known to work here: polls only, and nobody needs to ring
        self._thread = Thread(target=self._listen, name="doorbell", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the listener's end; it looks at `stop` twice a second."""
        self._thread.join(timeout=5)

    def ring(self) -> None:
        """Wake the sleeper from inside this process."""
        self._step = 0
        self._rung.set()

    def wait(self, at_most: float = float("inf")) -> bool:
        """Sleep until it rings, or the next step of the ladder, so many seconds at most; return whether it rang."""
        ladder = (*LADDER_SECONDS, self._settings.poll_seconds)
        step = min(ladder[min(self._step, len(ladder) - 1)], self._settings.poll_seconds)
        rang = self._rung.wait(timeout=max(0.0, min(step, at_most)))
        self._step += not rang
        return rang

    def begin_ladder(self) -> None:
        """We have just armed: who looked before that, and commits now, does not ring."""
        self._step = 0

    def clear(self) -> None:
        """Forget earlier rings: called before the look that decides whether to sleep, so that none is missed."""
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
                self._rung.set()  # what was rung while we were away is unknown
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
        """Should nobody ring, or would we not hear it? Say why, once."""
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
            # From another connection: PgBouncer hands a process's own notification over with the result of its NOTIFY,
            # so one that rings itself hears it and is deaf all the same. A channel of its own, in case it stays behind.
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
