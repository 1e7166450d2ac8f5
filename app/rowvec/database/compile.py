"""The statements of a source: files of rowvec/sql, with the source's own table, keys and types in their {fields}."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from string import Formatter

from psycopg import sql

from rowvec.database.sources import Source
from rowvec.database.statements import statement

Columns = list[sql.Composable]


@lru_cache(maxsize=256)
def compiled(source: Source, name: str, *, after_cursor: bool = False) -> bytes:
    """Return rowvec/sql/<name>.sql for a source. A source is a value: one that has changed compiles anew.

    `after_cursor`: the rows behind the key in %(cursor)s; else from the beginning.
    """
    template = statement(name)
    fragments = _fragments(source, after_cursor)
    named = {field for _, field, _, _ in Formatter().parse(template.as_string(None)) if field}
    return template.format(**{field: fragments[field]() for field in named}).as_bytes(None)


def _fragments(source: Source, after_cursor: bool) -> dict[str, Callable[[], sql.Composable]]:
    """Return what each {field} stands for, rendered when it is asked for.

    In the statements, `d` is a row of the source's table and `v` one of its vector table, each with the key's own
    columns; `i`, `l`, `p`, `s` and `w` are CTEs, in which the key's columns are called _k1, _k2, …
    """
    keys: Columns = [_identifier(column) for column in source.key_columns]
    aliases: Columns = [_identifier(f"_k{i}") for i in range(1, len(keys) + 1)]
    row, vector = _of("d", keys), _of("v", keys)
    input_, written, chunk = _of("i", aliases), _of("w", aliases), _of("p", aliases)
    in_row = source.into_column is not None
    column, send = _identifier(source.into_column or "embedding"), sql.SQL(source.column_send or "vector_send")
    vectors = _identifier("rowvec", source.vector_table)

    def key_of(text: sql.Composable) -> Columns:
        """The key's columns, with their types, of a key in text form."""
        # Type names come from format_type(), which quotes them.
        if len(keys) == 1:
            return [sql.SQL("{}::{}").format(text, sql.SQL(source.key_types[0]))]
        row_type = _identifier("rowvec_internal", f"source_{source.id}_key")
        return [sql.SQL("({}::{}).{}").format(text, row_type, key) for key in keys]

    def stored() -> sql.Composable:
        """The hash of the text that the vector was made of; in column mode only while the column holds our vector.

        Otherwise '', which is the hash of no text, and is not NULL as that of a missing one.
        """
        if not in_row:
            return sql.SQL("v._hash")
        return sql.SQL(
            "CASE WHEN substring(sha256({}(d.{})) FOR 16) IS NOT DISTINCT FROM v._sum THEN v._hash ELSE ''::bytea END"
        ).format(send, column)

    def after(columns: Columns) -> sql.Composable:
        if not after_cursor:
            return sql.SQL("true")
        return sql.SQL("({}) > ({})").format(_list(columns), _list(key_of(sql.Placeholder("cursor"))))

    def chunks_of(key: Columns) -> sql.Composable:
        """What is known of the chunks of a key: their hashes and where the last one ends."""
        if not source.has_chunks:
            return sql.SQL("NULL::bytea[] AS chunk_hashes, NULL::integer AS chunks_end")
        return statement("flow/chunks_there").format(vectors=vectors, chunk_has_key=_equal(_of("w", keys), key))

    def first_chunk() -> sql.Composable:
        """The row that stands for a key: chunk 0, or, where that is missing, the first that is there."""
        if not source.has_chunks:
            return sql.SQL("v.chunk = 0")
        return statement("flow/first_chunk").format(vectors=vectors, chunk_has_key=_equal(_of("w", keys), vector))

    claimed = key_of(sql.SQL("k.key"))
    return {
        "table": lambda: _identifier(source.schema, source.table),
        "vectors": lambda: vectors,
        "text": lambda: sql.SQL(source.text_sql.replace("%", "%%")),  # made and quoted by rowvec_internal.text_sql
        "column": lambda: column,
        "column_type": lambda: sql.SQL(source.column_type or "vector"),
        "send": lambda: send,
        "vector": lambda: _of("d" if in_row else "v", [column])[0],
        "stored": stored,
        "chunks_there": lambda: chunks_of(claimed),
        "row_chunks_there": lambda: chunks_of(row),
        "first_chunk": first_chunk,
        # Lists of columns
        "keys": lambda: _list(keys),
        "aliases": lambda: _list(aliases),
        "row_keys": lambda: _list(row),
        "vector_keys": lambda: _list(vector),
        "input_keys": lambda: _list(input_),
        "chunk_keys": lambda: _list(chunk),
        "key_values": lambda: _named(key_of(sql.SQL("i.key")), aliases),
        "row_as_aliases": lambda: _named(row, aliases),
        "written_keys": lambda: _named(vector, aliases),
        # Keys as text, and the rows behind one
        "key_text": lambda: _text(row),
        "vector_key_text": lambda: _text(vector),
        "after_cursor": lambda: after(row),
        "vector_after_cursor": lambda: after(vector),
        # Joins
        "row_has_key": lambda: _equal(row, claimed),
        "vector_has_key": lambda: _equal(vector, claimed),
        "row_is_input": lambda: _equal(row, input_),
        "row_is_page": lambda: _equal(row, chunk),
        "vector_is_row": lambda: _equal(vector, row),
        "vector_is_input": lambda: _equal(vector, input_),
        "vector_is_written": lambda: _equal(vector, written),
        "locked_is_input": lambda: _equal(_of("l", aliases), input_),
        "settled_is_input": lambda: _equal(_of("s", aliases), input_),
        "written_is_input": lambda: _equal(written, input_),
        "input_is_chunk": lambda: _equal(input_, chunk),
        "written_is_chunk": lambda: _equal(written, chunk),
    }


def _identifier(*names: str) -> sql.Identifier:
    # psycopg looks for placeholders in the finished text: a per cent sign in a name would be taken for one.
    return sql.Identifier(*(name.replace("%", "%%") for name in names))


def _of(record: str, columns: Columns) -> Columns:
    return [sql.SQL("{}.{}").format(sql.SQL(record), column) for column in columns]  # type: ignore[arg-type, unused-ignore]


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _named(values: Columns, names: Columns) -> sql.Composed:
    return _list(sql.SQL("{} AS {}").format(*pair) for pair in zip(values, names, strict=True))


def _equal(left: Columns, right: Columns) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("{} = {}").format(*pair) for pair in zip(left, right, strict=True))


def _text(columns: Columns) -> sql.Composed:
    if len(columns) == 1:
        return sql.SQL("{}::text").format(columns[0])
    return sql.SQL("ROW({})::text").format(_list(columns))
