"""Claim, encode, write, overlapped: the claim of batch N+1 and the write of N-1 run while N is encoded.

Three threads, joined by queues of one batch each, which give overlap and back-pressure at once. torch releases the GIL
while it computes, and no transaction is ever open while the model runs. A lone change has nothing to overlap with: the
claiming thread encodes and writes it, too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from threading import Thread, current_thread

from rowvec.flow.claiming import Claiming
from rowvec.flow.encoding import encode_loop
from rowvec.flow.shared import Shared
from rowvec.flow.writing import write_loop

log = logging.getLogger(__name__)


class Pipeline:
    """The three threads of a daemon."""

    def __init__(self, shared: Shared, *, on_idle: Callable[[], None], on_recheck: Callable[[], None]) -> None:
        """`on_idle` is called when nothing is left, `on_recheck` when a backfill has been asked for."""
        self.claiming = Claiming(shared, on_idle=on_idle, on_recheck=on_recheck)
        self.fatal: Exception | None = None
        self._stop = shared.stop
        loops = {
            "claim": self.claiming.loop,
            "encode": partial(encode_loop, shared),
            "write": partial(write_loop, shared),
        }
        self._threads = [
            Thread(target=self._guarded, args=(loop,), name=f"rowvec {name}", daemon=True)
            for name, loop in loops.items()
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> bool:
        """Wait until what is in flight is written, `timeout` seconds at most; return whether it is."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _guarded(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Exception as error:  # a fault of ours: better to end and be restarted than to go on with a thread less
            log.exception("%s thread died", current_thread().name)
            self.fatal = error
            self._stop.set()
