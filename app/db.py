"""Connections and statements: session settings, errors in our words, the SQL files of app/sql."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from random import random
from threading import Event
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from app import vectors
from app.errors import DatabaseError, RowvecError, ServerUnreachable, SettingsError

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
# The formats are those that the triggers write keys in.
_SESSION = """SET synchronous_commit = off; SET lock_timeout = '2s'; SET statement_timeout = '60s';
SET idle_in_transaction_session_timeout = '10s'; SET row_security = off; SET timezone = 'UTC';
SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex'"""


@cache
def statement(name: str) -> sql.SQL:
    """Return app/sql/<name>.sql, to be formatted with identifiers where it has {fields}."""
    # A literal in spirit: the text is a file of this package, never made from input.
    return sql.SQL((files("app.sql") / f"{name}.sql").read_text())  # type: ignore[arg-type, unused-ignore]


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours: one line, with the server's hint, never a password."""
    try:
        yield
    except RowvecError:
        raise
    except psycopg.OperationalError as error:
        state = error.sqlstate or ""
        message = _first_line(error)
        if state.startswith("28") or "authentication failed" in message:
            raise ServerUnreachable(message, hint="Check user and password in ROWVEC_DATABASE_URL.") from error
        if not state or state[:2] == "08" or state[:3] == "57P":  # 57014 is a time-out, not a lost server
            raise ServerUnreachable(message, hint="Check ROWVEC_DATABASE_URL and that the server runs.") from error
        raise DatabaseError(message, hint=error.diag.message_hint) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedFunction) as error:
        hint = "Run `rowvec migrate` first." if "rowvec." in str(error) else error.diag.message_hint
        raise DatabaseError(_first_line(error), hint=hint) from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None and ("URI" in str(error) or "connection info" in str(error)):
            # libpq's words quote the URL, and with it the password.
            raise SettingsError(
                "ROWVEC_DATABASE_URL cannot be read",
                hint="It is postgresql://user:password@host:5432/database, other characters percent-encoded.",
            ) from None
        raise DatabaseError(_first_line(error), hint=error.diag.message_hint) from error
    except psycopg.Error as error:
        raise DatabaseError(_first_line(error), hint=error.diag.message_hint) from error


def connect(url: str, *, application: str = "rowvec") -> Connection:
    """Open an autocommit connection as the daemon and the CLI use it; raise ServerUnreachable when there is none.

    No statement is prepared: a pooler in transaction mode would hand the name to another client.
    """
    with translated():
        given = conninfo_to_dict(url)
        options = {key: value for key, value in _CONNECT.items() if key not in given}
        connection = Connection.connect(
            url, autocommit=True, prepare_threshold=None, application_name=application, **options
        )
        connection.execute(_SESSION)
        vectors.register(connection)
    return connection


def _first_line(error: psycopg.Error) -> str:
    """Return the line that says what is wrong: libpq's own messages have hints, and other hosts, around it."""
    if error.diag.message_primary:
        return error.diag.message_primary.splitlines()[0].strip()
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    telling = [line for line in lines if "failed: " in line] or lines
    return telling[0].removeprefix("connection failed: ")


class Link:
    """One thread's connection, made when it is needed and made again after a loss, with back-off and jitter."""

    def __init__(self, url: str, application: str, stop: Event) -> None:
        """Take the URL; `stop` ends the waiting between two tries."""
        self._url, self._application, self._stop = url, application, stop
        self._connection: Connection | None = None
        self._pause_s = 0.0

    def get(self) -> Connection:
        """Return the connection, made anew if there is none. One try: ServerUnreachable when it fails."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, application=self._application)
            self._pause_s = 0.0
        return self._connection

    def lost(self, error: RowvecError) -> None:
        """Drop the connection and wait a little: 0.1 s at first, doubled up to 5 s, with 50 % of jitter."""
        self.close()
        if self._pause_s == 0.0:
            log.warning("%s: server lost, reconnecting: %s", self._application, error)
        self._pause_s = min(5.0, max(0.1, self._pause_s * 2))
        self._stop.wait(self._pause_s * (0.75 + random() / 2))

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None
