"""Connections: their settings, a bound on each wait for the server, and reconnecting after a loss."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from random import random
from threading import Event
from typing import Any

import psycopg
from psycopg import Connection, Cursor, Transaction
from psycopg.abc import Params
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from rowvec.database import vectors
from rowvec.database.translate import translated
from rowvec.errors import one_line

log = logging.getLogger(__name__)

# A dead peer is noticed in about 20 s, not in two hours; a statement of ours never waits long for a user's lock.
_CONNECT: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# synchronous_commit: a claim and an ack are done again after a crash of the server, together with their vectors.
# row_security: a policy that would hide rows from the daemon becomes an error instead of missing vectors.
# timezone and below: the formats that the triggers write keys in.
_SESSION = {
    "synchronous_commit": "off",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "row_security": "off",
    "jit": "off",  # short statements whose estimates may be large
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
}
# For claims and acks, which only look rows up: a plan made while the tables were small must use the indexes as well.
_LOOKUPS = {"enable_seqscan": "off", "enable_bitmapscan": "off"}
_NEVER = 1 << 30
_STATEMENT_SECONDS = 60.0
_GRACE_SECONDS = 15.0  # beyond statement_timeout, so that the server's own error comes first


class Session(Connection[TupleRow]):
    """An autocommit connection with our settings.

    Behind a pooler in transaction mode the next statement may run in another server process, and a SET of a session
    would hold for another client. So there every statement gets a transaction that begins with the settings.
    """

    pooled = False
    settings = b""
    patience_seconds = 0.0  # 0: no bound

    def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> Cursor[TupleRow]:
        """Execute a statement; a CALL gets no transaction of ours, since it commits by itself."""
        call = isinstance(query, str) and query.startswith("CALL ")
        if not self.pooled or call or self.info.transaction_status is not TransactionStatus.IDLE:
            return super().execute(query, params, prepare=prepare and not self.pooled, binary=binary)
        with self.transaction():
            return super().execute(query, params, prepare=False, binary=binary)

    def wait(self, gen: Generator[Any, Any, Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server's answer, `patience_seconds` at most: a peer may keep TCP alive and never answer."""
        if timeout is not None or not self.patience_seconds:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience_seconds)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()  # or a ROLLBACK would wait as long again
            raise psycopg.OperationalError(f"the server has not answered for {self.patience_seconds:g} s") from None

    @contextmanager
    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Iterator[Transaction]:
        """Begin a transaction, or a savepoint inside one."""
        outermost = self.info.transaction_status is TransactionStatus.IDLE
        with super().transaction(savepoint_name, force_rollback) as begun:
            if self.pooled and outermost:
                super().execute(self.settings)
            yield begun

    def configure(self, statement_seconds: float, lookups: bool) -> None:
        """See whether a pooler is between us and the server, and apply the settings accordingly."""
        # A pooler makes up the process number that a client gets when it connects.
        row = super().execute("SELECT pg_backend_pid()").fetchone()
        self.pooled = row is None or row[0] != self.info.backend_pid
        values = {**_SESSION, **(_LOOKUPS if lookups else {}), "statement_timeout": f"{statement_seconds * 1000:.0f}"}
        calls = ", ".join(f"set_config('{name}', '{value}', {self.pooled})" for name, value in values.items())
        self.settings = f"SELECT {calls}".encode()
        if not self.pooled:
            super().execute(self.settings)
        self.prepare_threshold = None if self.pooled else _NEVER  # only what asks for it is prepared
        vectors.register(self)


def connect(
    url: str,
    *,
    application: str = "rowvec",
    statement_seconds: float = _STATEMENT_SECONDS,
    patience_seconds: float = 0.0,
    lookups: bool = False,
) -> Session:
    """Open an autocommit connection with the settings above; raise ServerUnreachable when the server cannot be reached.

    `lookups` is for claims and acks. `statement_seconds` bounds every statement on the server, `patience_seconds` the
    wait for an answer here; 0: no bound. Behind a pooler in transaction mode nothing is prepared, since the next
    statement may run in a server process that does not know the name.
    """
    with translated():
        given = conninfo_to_dict(url)
        options = {key: value for key, value in _CONNECT.items() if key not in given}
        session = Session.connect(url, autocommit=True, prepare_threshold=None, application_name=application, **options)
        session.patience_seconds = patience_seconds
        session.configure(statement_seconds, lookups)
    return session


class Link:
    """One thread's connection: made when it is needed, and made again after a loss, with back-off and jitter."""

    def __init__(self, url: str, application: str, stop: Event, *, lookups: bool = False) -> None:
        """Take the URL; `stop` ends the wait between two tries; `lookups` is for claims and acks."""
        self._url, self._application, self._stop, self._lookups = url, application, stop, lookups
        self._connection: Session | None = None
        self._connected_at = self._pause_s = 0.0

    def get(self) -> Session:
        """Return the connection, made anew if there is none. One try: ServerUnreachable when it fails."""
        if self._connection is None or self._connection.closed:
            patience_s = _STATEMENT_SECONDS + _GRACE_SECONDS
            self._connection = connect(
                self._url, application=self._application, patience_seconds=patience_s, lookups=self._lookups
            )
            self._connected_at = time.monotonic()
        return self._connection

    def lost(self, error: Exception) -> None:
        """Drop the connection and wait: 0.1 s, doubled up to 5 s while no connection outlives its wait; 25 % jitter."""
        if self._connection is not None and time.monotonic() - self._connected_at > self._pause_s:
            self._pause_s = 0.0
        self.close()
        if self._pause_s == 0.0:
            log.warning("%s: server lost, reconnecting: %s", self._application, one_line(error))
        self._pause_s = min(5.0, max(0.1, self._pause_s * 2))
        self._stop.wait(self._pause_s * (0.75 + random() / 2))

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None


def libpq_environment(url: str) -> dict[str, str]:
    """Return the environment in which psql or pg_dump connects to a URL; no list of processes shows the password."""
    options = psycopg.pq.Conninfo.parse(url.encode())
    given = {(o.envvar or b"").decode(): o.val.decode() for o in options if o.envvar and o.val is not None}
    return {**os.environ, **given}
