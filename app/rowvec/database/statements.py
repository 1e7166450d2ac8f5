"""The SQL files of rowvec/sql, one statement each: found by folder and name, and read as objects."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, TypeVar, cast

from psycopg import Connection, Cursor, sql
from psycopg.abc import Params
from psycopg.rows import RowFactory

from rowvec.database.translate import translated

Row = TypeVar("Row")


@cache
def statement(name: str) -> sql.SQL:
    """Return rowvec/sql/<name>.sql, to be formatted with identifiers where it has {fields}.

    Of its comments only the first line stays, for pg_stat_activity: psycopg parses a text of more than 4,096 characters
    again at each call, which for an ack took 0.04 ms.
    """
    first, *lines = (files("rowvec.sql") / f"{name}.sql").read_text().splitlines()
    text = "\n".join([first, *(line for line in lines if not line.startswith("--"))])
    return sql.SQL(text)  # type: ignore[arg-type, unused-ignore]  # not a literal, but a file of this package


def rows(connection: Connection, make: RowFactory[Row], query: Any, values: Params | None = None) -> list[Row]:
    """Execute a statement and return its rows as `make` makes them: class_row(A), dict_row, scalar_row.

    Not by a cursor of that kind: behind a pooler only `execute` of the connection brings our settings.
    """
    with translated():
        cursor = cast("Cursor[Row]", connection.execute(query, values))
        cursor.row_factory = make
        return cursor.fetchall()
