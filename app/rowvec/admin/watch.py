"""Watch a table from Python."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection

from rowvec.database.statements import statement
from rowvec.database.translate import translated


def watch(connection: Connection, table: str, columns: Sequence[str], **options: object) -> str:
    """Begin to watch a table; return the source's name. The options are those of SQL's rowvec.watch."""
    values = {
        "table": table,
        "columns": list(columns),
        "name": None,
        "model": None,
        "template": None,
        "into_column": None,
        "chunk_tokens": None,
        "chunk_overlap": 0,
        "backfill": True,
        "if_not_exists": False,
        "on_overflow": "truncate",
        "store_text": False,
        "document_prompt": None,
        "query_prompt": None,
        "replace": False,
        "index": None,
        **options,
    }
    with translated():
        row = connection.execute(statement("admin/watch"), values).fetchone()
    return str(row[0]) if row else table
