"""The SQL files of rowvec/sql: one statement each, found by folder and name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from psycopg import sql


@cache
def statement(name: str) -> sql.SQL:
    """Return rowvec/sql/<name>.sql, to be formatted with identifiers where it has {fields}.

    Of the lines that are comments only the first stays, for pg_stat_activity: the driver reads the whole text again
    at each call when it is longer than 4,096 characters, which for an ack took 0.04 ms.
    """
    first, *lines = (files("rowvec.sql") / f"{name}.sql").read_text().splitlines()
    # A literal in spirit: the text is a file of this package, never made from input.
    return sql.SQL("\n".join([first, *(line for line in lines if not line.startswith("--"))]))  # type: ignore[arg-type, unused-ignore]
