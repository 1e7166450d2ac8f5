"""The answer to a search by text, as data and as a table; the search itself is SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from rich.markup import escape
from rich.table import Table

from rowvec.database.compile import compiled
from rowvec.database.sources import Source
from rowvec.database.translate import translated


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was found: its key as text, its vector's distance from the question's, the beginning of its text."""

    key: str
    distance: float
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


def search(connection: Connection, source: Source, text: str, *, k: int, filter_sql: str | None) -> list[Hit]:
    """Return the k rows that are nearest, nearest first; a daemon turns the text into a vector."""
    values = {"source": source.name, "text": text, "k": k, "filter": filter_sql}
    with translated(), connection.transaction(), connection.cursor(row_factory=class_row(Hit)) as cursor:
        cursor.execute("SET LOCAL row_security = on")  # off in our sessions, where hidden rows are to be errors
        return cursor.execute(compiled(source, "search/search"), values).fetchall()


def table(hits: Sequence[Hit]) -> Table:
    """Return the hits as a table for a terminal."""
    made = Table("key", "distance", "text")
    for hit in hits:
        made.add_row(hit.key, f"{hit.distance:.4f}", escape(hit.text))
    return made
