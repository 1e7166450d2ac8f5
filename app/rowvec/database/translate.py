"""psycopg's errors as ours: one line and what to do next, never a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.errors import InvalidSchemaName, UndefinedFunction, UndefinedTable

from rowvec.errors import DatabaseError, RowvecError, ServerUnreachable, SettingsError


@contextmanager
def translated(url: str = "ROWVEC_DATABASE_URL") -> Iterator[None]:
    """Turn psycopg's errors into subclasses of RowvecError, with the server's hint where it gives one.

    `url` is what a hint calls the server's address.
    """
    try:
        yield
    except psycopg.Error as error:
        ours = _ours(error, url)
        raise ours from None if isinstance(ours, SettingsError) else error  # that one's message has the password


def first_line(error: psycopg.Error) -> str:
    """Return the line that says what is wrong: libpq's own messages have hints, and other hosts, around it."""
    if error.diag.message_primary:
        return error.diag.message_primary.splitlines()[0].strip()
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    telling = [line for line in lines if "failed: " in line] or lines
    return telling[0].removeprefix("connection failed: ")


def _ours(error: psycopg.Error, url: str) -> RowvecError:
    message, state, hint = first_line(error), error.sqlstate or "", error.diag.message_hint
    if isinstance(error, psycopg.OperationalError):
        if state.startswith("28") or "authentication failed" in message:
            return ServerUnreachable(message, hint=f"Check user and password in {url}.")
        if not state or state[:2] == "08" or state[:3] == "57P":  # 57014 is a time-out, not a lost server
            return ServerUnreachable(message, hint=f"Check {url} and that the server runs.")
    if isinstance(error, psycopg.ProgrammingError) and not state and ("URI" in message or "connection info" in message):
        return SettingsError(
            f"{url} cannot be read",
            hint="It is postgresql://user:password@host:5432/database, other characters percent-encoded.",
        )
    if isinstance(error, UndefinedTable | InvalidSchemaName | UndefinedFunction) and "rowvec" in message:
        hint = "Run `rowvec migrate` first."
    return DatabaseError(message, hint=hint)
