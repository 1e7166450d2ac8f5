"""A daemon for the length of a measurement, which serves the measurement's own model and no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from rowvec.daemon.daemon import Daemon
from rowvec.database.sources import Model
from rowvec.encode.encoder import Encoder
from rowvec.errors import ArtefactError
from rowvec.settings import Settings


@contextmanager
def serving(url: str, settings: Settings, name: str, encoder: Encoder) -> Iterator[None]:
    """Run a daemon that has the model `name` only: a user's rows that wait in this database get no such vectors."""

    def load(model: Model) -> Encoder:
        if model.name != name:
            raise ArtefactError("not for a measurement")
        return encoder

    daemon = Daemon(url, settings, load)
    thread = Thread(target=daemon.run, name="rowvec bench daemon", daemon=True)
    thread.start()
    try:
        yield
    finally:
        daemon.end()
        thread.join()
