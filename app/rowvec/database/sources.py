"""The catalogue as the daemon reads it: the sources and their models."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row, kwargs_row

from rowvec.database.statements import rows, statement
from rowvec.database.text_hash import identity
from rowvec.errors import SourceError
from rowvec.settings import Precision


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the catalogue knows it; (fingerprint, precision) is its identity."""

    id: int
    name: str
    fingerprint: str
    precision: Precision
    dims: int
    max_tokens: int


@dataclass(frozen=True)
class Source:
    """A watched table, with its text recipe, its model and its vector table."""

    id: int
    name: str
    schema: str
    table: str
    key_columns: tuple[str, ...]
    key_types: tuple[str, ...]
    text_columns: tuple[str, ...]
    text_sql: str  # the expression that makes a row's text, of a record `d`
    prompt: str  # put before each text
    into_column: str | None  # the vector's column in the table itself; None: it is in the vector table
    column_type: str | None  # of that column; None: it is gone
    column_send: str | None  # the function that gives its value as bytes
    chunk_tokens: int | None
    chunk_overlap: int
    on_overflow: Literal["truncate", "error", "chunk"]
    store_text: bool
    index_kind: str | None
    recipe: int  # raised by each change of what makes the text; a claim with an older number gets nothing
    state: str
    vector_table: str
    has_chunks: bool  # the vector table has columns for chunks, whether or not the recipe still asks for any
    model: Model
    backfill_phase: str

    @cached_property
    def largest(self) -> float:
        """The largest number that a vector may hold where it is kept: that of float32, or of float16."""
        return 65504.0 if "halfvec" in (self.column_type or "") else 3.4028234e38

    @cached_property
    def identity(self) -> bytes:
        """What the hashes of this source's texts are bound to."""
        return self.identity_of(self.model.fingerprint, self.model.precision, self.prompt)

    @cached_property
    def chunk_identity(self) -> bytes:
        """What its chunks' hashes are bound to: not how the text is split, so a chunk found again is not encoded."""
        return identity(self.model.fingerprint, self.model.precision, self.prompt)

    def identity_of(self, fingerprint: str, precision: str, prompt: str) -> bytes:
        """What the hashes would be bound to if it had that model and prompt."""
        parts = (self.chunk_tokens, self.chunk_overlap, self.on_overflow, self.store_text)
        splitting = "" if parts == (None, 0, "truncate", False) else "/".join(map(str, parts))
        return identity(fingerprint, precision, prompt, splitting=splitting)

    @property
    def chunk_limit(self) -> int | None:
        """How many tokens a chunk may have; None: a text has one vector."""
        if self.chunk_tokens is not None:
            return self.chunk_tokens
        return self.model.max_tokens if self.on_overflow == "chunk" else None


def load(connection: Connection) -> list[Source]:
    """Read every source, whatever its state, by id."""
    return rows(connection, kwargs_row(_source), statement("database/sources"))


def default_model(connection: Connection) -> Model | None:
    """Read the default model, or None when there is none."""
    found = rows(connection, class_row(Model), statement("database/default_model"))
    return found[0] if found else None


def find(connection: Connection, name: str) -> Source:
    """Read one source; raise SourceError, listing the names, when it is not there."""
    sources = load(connection)
    for source in sources:
        if source.name == name:
            return source
    names = ", ".join(source.name for source in sources)
    raise SourceError(
        f'there is no source "{name}"',
        hint=f"Sources: {names}." if names else "Begin with `rowvec watch TABLE --text COLUMN`.",
    )


def _source(**row: Any) -> Source:
    """Make a source of a row of sources.sql, whose columns have the fields' names; model_… are those of its model."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    model = Model(**{field.name: values.pop(f"model_{field.name}") for field in fields(Model)})
    return Source(**values, model=model)
