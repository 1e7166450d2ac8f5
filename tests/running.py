"""A daemon under test, in a thread with the fake encoder; tests/storm.py has those that can be killed and frozen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import psycopg
from psycopg import sql

from rowvec.daemon.daemon import Daemon
from rowvec.database import sources
from rowvec.database.sources import Model
from rowvec.errors import ArtefactError
from rowvec.settings import Settings
from tests.checking import differences
from tests.fakes import DIMS, FINGERPRINT, MAX_TOKENS, HashEncoder

# Where a source's vectors are: what a call of watch() is given beside the table and the text column.
SHAPES = {
    "table": "",
    "column": ", into_column => 'embedding'",
    "chunks": ", chunk_tokens => 10, chunk_overlap => 2, store_text => true",
}


def add_fake_model(connection: psycopg.Connection, name: str = "fake", fingerprint: str = FINGERPRINT) -> None:
    """Register the model of the fake encoder, as the default."""
    connection.execute(
        "INSERT INTO rowvec_internal.model (name, fingerprint, dims, max_tokens, manifest, is_default)"
        " VALUES (%s, %s, %s, %s, '{}', NOT EXISTS (SELECT FROM rowvec_internal.model))",
        (name, fingerprint, DIMS, MAX_TOKENS),
    )


@contextmanager
def daemon(
    url: str, encoder: HashEncoder | None = None, *, serves: str | None = None, **settings: object
) -> Iterator[Daemon]:
    """Run a daemon in this process until the block ends; its failure fails the test. `serves`: the one model it has."""

    def load(model: Model) -> HashEncoder:
        if serves not in (None, model.name):
            raise ArtefactError(f"no artefact of {model.name} here")
        return encoder or HashEncoder()

    running = Daemon(url, Settings(**settings), load)  # type: ignore[arg-type]
    failures: list[BaseException] = []

    def run() -> None:
        try:
            running.run()
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=run, name="daemon under test", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.end()
        thread.join(timeout=60)
        assert not thread.is_alive(), "the daemon did not stop"
        assert not failures, failures


def check_in_step(connection: psycopg.Connection, name: str) -> int:
    """Assert promise 2 of a source, whatever its shape, without waiting. Return how many rows its table has."""
    assert differences(connection, name) == []
    source = sources.find(connection, name)
    count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(source.schema, source.table))
    row = connection.execute(count).fetchone()
    return row[0] if row else 0
