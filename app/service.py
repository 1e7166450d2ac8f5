"""A daemon as a process, with signals and logs, or as a thread of a command that needs one for a while."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread
from types import FrameType

from psycopg import Connection

from app import db, encoder
from app.daemon import Daemon
from app.encoder import Encoder
from app.model import find_artefact
from app.settings import Settings
from app.sources import Model

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def run(settings: Settings, url: str, *, once: bool = False) -> None:
    """Run a daemon until SIGTERM or Ctrl-C, then finish or release what it holds; a second Ctrl-C ends it at once."""
    logging.basicConfig(level=settings.log_level, format=LOG_FORMAT)
    made = Daemon(url, settings, partial(_load, settings), once=once)

    def stop(number: int, _frame: FrameType | None) -> None:
        made.stop.set()
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    made.run()


class Background:
    """A daemon in a thread of this process."""

    def __init__(self, settings: Settings, url: str) -> None:
        """Take what a daemon needs; `start` starts it."""
        self._daemon = Daemon(url, settings, partial(_load, settings))
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="rowvec daemon", daemon=True)

    def check(self) -> None:
        """Raise the error that the daemon ended with, if it did."""
        if self._error is not None:
            raise self._error

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def stop(self) -> None:
        """Let it finish or release what it holds, and wait for that."""
        self._daemon.stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._daemon.run()
        except BaseException as error:
            self._error = error


@contextmanager
def background(settings: Settings, url: str) -> Iterator[Background]:
    """Run a daemon beside the caller, for the length of the block."""
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    made = Background(settings, url)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def is_alive(connection: Connection) -> bool:
    """Say whether a daemon of this host has a fresh heartbeat; a container has a host name of its own."""
    with db.translated():
        row = connection.execute(db.statement("worker_alive"), [socket.gethostname()]).fetchone()
    return bool(row and row[0])


def _load(settings: Settings, model: Model) -> Encoder:
    """Load a model of the catalogue from the model folder; raise ArtefactError when it is not there."""
    return encoder.load(
        find_artefact(settings.models, model.fingerprint),
        fingerprint=model.fingerprint,
        precision="bf16" if model.precision == "bf16" else "fp32",
        threads=settings.threads,
        max_batch_tokens=settings.max_batch_tokens,
    )
