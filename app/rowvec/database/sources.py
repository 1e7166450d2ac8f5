"""The sources of the catalogue, and the statements compiled for each: its own table, keys and types, written once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from psycopg import Connection, sql

from rowvec.database.statements import statement
from rowvec.database.text_hash import identity
from rowvec.database.translate import translated
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
    column_type: str | None  # of that column, and the function that gives it as bytes; None: the column is gone
    column_send: str | None
    chunk_tokens: int | None
    chunk_overlap: int
    on_overflow: Literal["truncate", "error", "chunk"]
    store_text: bool
    index_kind: str | None
    recipe: int  # raised by each change of what makes the text: a claim by an older one takes nothing
    state: str
    vector_table: str
    has_chunks: bool  # the vector table has columns for them, whether or not the recipe still asks for any
    model: Model
    backfill_phase: str

    @cached_property
    def largest(self) -> float:
        """The largest number that a vector may hold where it is kept: that of float32, or of half of it."""
        return 65504.0 if "halfvec" in (self.column_type or "") else 3.4028234e38

    @cached_property
    def identity(self) -> bytes:
        """What the hashes of this source's texts are bound to."""
        return self.identity_of(self.model.fingerprint, self.model.precision, self.prompt)

    @cached_property
    def chunk_identity(self) -> bytes:
        """What the hashes of its chunks are bound to: not to how they were cut, so that a chunk found again is kept."""
        return identity(self.model.fingerprint, self.model.precision, self.prompt)

    def identity_of(self, fingerprint: str, precision: str, prompt: str) -> bytes:
        """What the hashes would be bound to if it had that model and prompt."""
        parts = (self.chunk_tokens, self.chunk_overlap, self.on_overflow, self.store_text)
        cutting = "" if parts == (None, 0, "truncate", False) else "/".join(map(str, parts))
        return identity(fingerprint, precision, prompt, cutting=cutting)

    @property
    def chunk_limit(self) -> int | None:
        """How many tokens a chunk may have; None: a text has one vector."""
        if self.chunk_tokens is not None:
            return self.chunk_tokens
        return self.model.max_tokens if self.on_overflow == "chunk" else None


def load(connection: Connection) -> list[Source]:
    """Read every source, whatever its state, by id."""
    with translated():
        return [_source(row) for row in connection.execute(statement("database/sources")).fetchall()]


def default_model(connection: Connection) -> Model | None:
    """Read the default model, or None when there is none."""
    with translated():
        row = connection.execute(statement("database/default_model")).fetchone()
    return None if row is None else Model(*row)


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


def _source(row: Sequence[Any]) -> Source:
    """Take a row of sources.sql: the fields in their order, the model's in the place of the model."""
    fields: list[Any] = [*row[:4], *map(tuple, row[4:7]), *row[7:21], Model(*row[21:27]), row[27]]
    return Source(*fields)


@lru_cache(maxsize=256)
def compiled(source: Source, name: str, *, after_cursor: bool = False) -> bytes:
    """Return rowvec/sql/<name>.sql with a source's identifiers; a source is a value, so a changed one compiles anew."""
    keys = [_identifier(column) for column in source.key_columns]
    aliases = [_identifier(f"_k{i}") for i in range(1, len(keys) + 1)]
    # Type names come from format_type(), which quotes them; nothing of a user's reaches this place.
    types = [sql.SQL(type_) for type_ in source.key_types]

    def key_of(text: sql.Composable) -> list[sql.Composable]:
        """The typed key columns of a key's text form."""
        if len(keys) == 1:
            return [sql.SQL("{}::{}").format(text, types[0])]
        row_type = _identifier("rowvec_internal", f"source_{source.id}_key")
        return [sql.SQL("({}::{}).{}").format(text, row_type, key) for key in keys]

    def of(record: str, columns: Iterable[sql.Composable]) -> list[sql.Composable]:
        return [sql.SQL("{}.{}").format(sql.SQL(record), column) for column in columns]

    def equal(left: Iterable[sql.Composable], right: Iterable[sql.Composable]) -> sql.Composed:
        return sql.SQL(" AND ").join(sql.SQL("{} = {}").format(*pair) for pair in zip(left, right, strict=True))

    def row_text(columns: list[sql.Composable]) -> sql.Composed:
        if len(columns) == 1:
            return sql.SQL("{}::text").format(columns[0])
        return sql.SQL("ROW({})::text").format(_list(columns))

    def after(columns: list[sql.Composable]) -> sql.Composable:
        if not after_cursor:
            return sql.SQL("true")
        return sql.SQL("({}) > ({})").format(_list(columns), _list(key_of(sql.Placeholder("cursor"))))

    def chunks_of(key: list[sql.Composable]) -> sql.Composable:
        """What is known of the chunks of a key."""
        if not source.has_chunks:
            return sql.SQL("NULL::bytea[], NULL::integer")
        kept = _identifier("rowvec", source.vector_table)
        return statement("flow/chunks_there").format(vectors=kept, chunk_has_key=equal(of("w", keys), key))

    def first_chunk() -> sql.Composable:
        """Which row stands for a key: the head, or, where it is missing, the first that is there."""
        if not source.has_chunks:
            return sql.SQL("v.chunk = 0")
        kept = _identifier("rowvec", source.vector_table)
        return statement("flow/first_chunk").format(vectors=kept, chunk_has_key=equal(of("w", keys), vector))

    row, vector = of("d", keys), of("v", keys)
    column, send = _identifier(source.into_column or "embedding"), sql.SQL(source.column_send or "vector_send")
    in_row = source.into_column is not None
    claimed_key = key_of(sql.SQL("k.key"))
    composed = statement(name).format(
        table=_identifier(source.schema, source.table),
        vectors=_identifier("rowvec", source.vector_table),
        present=keys[0],
        text=sql.SQL(source.text_sql.replace("%", "%%")),  # made and quoted by rowvec_internal.text_sql
        column=column,
        column_type=sql.SQL(source.column_type or "vector"),
        send=send,
        # In column mode our hash counts only if the column holds what we wrote: else it is no text's, nor that of none.
        stored=sql.SQL(
            "CASE WHEN substring(sha256({}(d.{})) FOR 16) IS NOT DISTINCT FROM v._sum THEN v._hash ELSE ''::bytea END"
        ).format(send, column)
        if in_row
        else sql.SQL("v._hash"),
        vector=sql.SQL("{}.{}").format(sql.SQL("d" if in_row else "v"), column),
        chunks_there=chunks_of(claimed_key),
        row_chunks_there=chunks_of(row),
        first_chunk=first_chunk(),
        keys=_list(keys),
        aliases=_list(aliases),
        key_values=_list(
            sql.SQL("{} AS {}").format(*pair) for pair in zip(key_of(sql.SQL("i.key")), aliases, strict=True)
        ),
        written_keys=_list(sql.SQL("{} AS {}").format(*pair) for pair in zip(vector, aliases, strict=True)),
        row_has_key=equal(row, claimed_key),
        vector_has_key=equal(vector, claimed_key),
        row_is_input=equal(row, of("i", aliases)),
        row_as_aliases=_list(sql.SQL("{} AS {}").format(*pair) for pair in zip(row, aliases, strict=True)),
        locked_is_input=equal(of("l", aliases), of("i", aliases)),
        vector_is_row=equal(vector, row),
        vector_is_input=equal(vector, of("i", aliases)),
        settled_is_input=equal(of("s", aliases), of("i", aliases)),
        input_keys=_list(of("i", aliases)),
        piece_keys=_list(of("p", aliases)),
        input_is_piece=equal(of("i", aliases), of("p", aliases)),
        written_is_piece=equal(of("w", aliases), of("p", aliases)),
        written_is_input=equal(of("w", aliases), of("i", aliases)),
        vector_is_written=equal(vector, of("w", aliases)),
        row_is_page=equal(row, of("p", aliases)),
        key_text=row_text(row),
        row_keys=_list(row),
        after_cursor=after(row),
        vector_key_text=row_text(vector),
        vector_keys=_list(vector),
        vector_after_cursor=after(vector),
    )
    return composed.as_bytes(None)


def _identifier(*names: str) -> sql.Identifier:
    # The driver looks for placeholders in the finished text: a per cent sign in a name would be taken for one.
    return sql.Identifier(*(name.replace("%", "%%") for name in names))


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
