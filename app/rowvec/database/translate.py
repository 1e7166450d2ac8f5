"""The driver's errors in our words: one line, what to do next, never a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from rowvec.errors import DatabaseError, RowvecError, ServerUnreachable, SettingsError


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


def _first_line(error: psycopg.Error) -> str:
    """Return the line that says what is wrong: libpq's own messages have hints, and other hosts, around it."""
    if error.diag.message_primary:
        return error.diag.message_primary.splitlines()[0].strip()
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    telling = [line for line in lines if "failed: " in line] or lines
    return telling[0].removeprefix("connection failed: ")
