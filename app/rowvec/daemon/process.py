"""A daemon as a process, with signals and logs, or as a thread of a command that needs one for a while."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread
from types import FrameType

from rowvec.daemon.daemon import Daemon
from rowvec.database.sources import Model
from rowvec.encode.artefact import find_artefact
from rowvec.encode.encoder import Encoder
from rowvec.encode.load import load as load_encoder
from rowvec.search.preview import preview
from rowvec.search.query_server import QueryServer
from rowvec.settings import Settings

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class Service:
    """A daemon, and the thread that answers the texts of SQL functions with the daemon's models."""

    def __init__(self, settings: Settings, url: str, *, once: bool = False) -> None:
        """`once`: end when nothing is left to do."""
        self._error: BaseException | None = None
        self._daemon = Daemon(url, settings, partial(_load, settings), once=once)
        self._encoders = self._daemon.models.encoders
        self._queries = QueryServer(
            settings.direct_url(url),
            self._encoders.__getitem__,
            self._encoders.keys,
            preview=self._preview,
            poll_seconds=settings.poll_seconds,
        )
        self._thread = Thread(target=self._keep_error, name="rowvec daemon", daemon=True)

    def run(self) -> None:
        """Run until `stop` is called; raise what made it impossible."""
        self._queries.start()
        try:
            self._daemon.run()
        finally:
            self._queries.stop()

    def stop(self) -> None:
        """Ask it to finish or release what it holds, and to end."""
        self._daemon.end()

    def start(self) -> None:
        """Run it in a thread."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread's end."""
        self._thread.join()

    def check(self) -> None:
        """Raise the error that the thread ended with, if it did."""
        if self._error is not None:
            raise self._error

    def _keep_error(self) -> None:
        try:
            self.run()
        except BaseException as error:
            self._error = error

    def _preview(self, source_id: int, text: str) -> str:
        """Return as JSON how a source splits a text; raise SourceError where this daemon does not know the source."""
        source = self._daemon.source(source_id)
        return preview(source, text, self._encoders[source.model.id].measure)


def _load(settings: Settings, model: Model) -> Encoder:
    """Load a model of the catalogue from the model folder; raise ArtefactError when it is not there."""
    return load_encoder(
        find_artefact(settings.models, model.fingerprint),
        fingerprint=model.fingerprint,
        precision=model.precision,
        threads=settings.threads,
        max_batch_tokens=settings.max_batch_tokens,
    )


def run(settings: Settings, url: str, *, once: bool = False) -> None:
    """Run a daemon until SIGTERM or Ctrl-C, then finish or release what it holds; a second Ctrl-C ends it at once."""
    logging.basicConfig(level=settings.log_level, format=LOG_FORMAT)
    service = Service(settings, url, once=once)

    def stop(number: int, _frame: FrameType | None) -> None:
        service.stop()
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    service.run()


@contextmanager
def background(settings: Settings, url: str) -> Iterator[Service]:
    """Run a daemon beside the caller, for the length of the block."""
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    service = Service(settings, url)
    service.start()
    try:
        yield service
    finally:
        service.stop()
        service.join()
