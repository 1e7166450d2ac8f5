"""What a caller hands over, checked and made ready for SQL: queries, filters, and a connection that can wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, SupportsFloat

from psycopg import Connection, sql
from psycopg.pq import TransactionStatus

from rowvec.errors import DatabaseError


@contextmanager
def autocommit(connection: Connection[Any]) -> Iterator[None]:
    """Let a procedure commit; refuse inside a transaction, which that would end."""
    if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        raise DatabaseError(
            "wait() cannot run inside a transaction: it would wait for changes that are not committed",
            hint="Call it after the commit.",
        )
    before = connection.autocommit
    if before:
        yield
        return
    connection.autocommit = True
    try:
        yield
    finally:
        if not connection.closed:
            connection.autocommit = before


def query_text(query: str | Iterable[SupportsFloat]) -> str:
    """Return a text as it is, and a vector in pgvector's text form."""
    if isinstance(query, str):
        return query
    try:
        numbers = [float(number) for number in query]
    except (TypeError, ValueError) as error:
        raise TypeError(f"query is a text or one vector of numbers, not {type(query).__name__}: {error}") from None
    return "[" + ",".join(map(repr, numbers)) + "]"


def checked(condition: sql.Composable | None, name: str) -> sql.Composable | None:
    """Return a piece of SQL as it is; raise TypeError where it is a plain str."""
    if condition is not None and not isinstance(condition, sql.Composable):
        raise TypeError(
            f'{name} is SQL, as psycopg.sql makes it: sql.SQL("lang = {{}}").format("en"); a plain'
            f" {type(condition).__name__} is refused, since values pasted into it could be SQL of somebody else's"
        )
    return condition


def rendered(values: Mapping[str, Any], connection: Connection[Any]) -> dict[str, Any]:
    """Return the values with SQL as text, quoted as this connection wants it."""
    return {
        name: value.as_string(connection) if isinstance(value, sql.Composable) else value
        for name, value in values.items()
    }
