"""Promise 2 as an assertion, for a source of any key: every row's vector is that of its text, no other has one."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

import numpy as np
import psycopg
from psycopg import sql

from rowvec.database import sources
from rowvec.database.vectors import from_text
from rowvec.encode import chunks
from tests.fakes import WordMeasure, fake_vector


def wait(connection: psycopg.Connection, source: str = "documents", timeout: str = "20 s") -> None:
    """Return when everything that was committed before is searchable."""
    connection.execute("CALL rowvec.wait(%s, %s)", (source, timeout))


def logged(connection: psycopg.Connection, statement: str) -> list[list[str] | None]:
    """What a statement writes into the log; it is undone."""
    with connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        rows = connection.execute(
            "SELECT keys FROM rowvec_internal.change WHERE xmin = pg_current_xact_id()::xid ORDER BY seq"
        )
        return [keys for (keys,) in rows.fetchall()]


def differences(connection: psycopg.Connection, name: str) -> list[str]:
    """What is missing, stale, unwanted or orphaned in a source, a line each; read by a join of its own."""
    source = sources.find(connection, name)
    if source.has_chunks:
        return _chunk_differences(connection, source)
    keys = [sql.Identifier(key) for key in source.key_columns]
    rows = connection.execute(
        sql.SQL(
            "SELECT d.{key} IS NOT NULL, ROW({dkeys})::text || ROW({vkeys})::text, {vector}, {text}"
            " FROM {table} d FULL JOIN {vectors} v ON {same}"
        ).format(
            key=keys[0],
            dkeys=sql.SQL(", ").join(sql.SQL("d.{}").format(key) for key in keys),
            vkeys=sql.SQL(", ").join(sql.SQL("v.{}").format(key) for key in keys),
            vector=_vector(source, keys[0]),
            text=sql.SQL(source.text_sql),
            table=sql.Identifier(source.schema, source.table),
            vectors=sql.Identifier("rowvec", source.vector_table),
            same=sql.SQL(" AND ").join(sql.SQL("d.{0} = v.{0}").format(key) for key in keys),
        )
    ).fetchall()
    found = []
    for present, key, vector, text in rows:
        if text is None:
            if vector is not None:
                found.append(f"{'unwanted' if present else 'orphan'} {key}")
        elif vector is None:
            found.append(f"missing {key}")
        elif not np.array_equal(from_text([vector])[0], fake_vector(text)):
            found.append(f"stale {key}")
    return found


def _vector(source: sources.Source, key: sql.Identifier) -> sql.Composable:
    """A row's vector as text; in column mode an orphan is a hash whose row is gone."""
    if source.into_column is None:
        return sql.SQL("v.embedding::text")
    column = sql.Identifier(source.into_column)
    return sql.SQL("CASE WHEN d.{} IS NULL THEN v._hash::text ELSE d.{}::text END").format(key, column)


def _chunk_differences(connection: psycopg.Connection, source: sources.Source) -> list[str]:
    """As above, of every chunk: its place in the text, and its vector."""
    key = sql.SQL("ROW({})::text").format(sql.SQL(", ").join(map(sql.Identifier, source.key_columns)))
    table, vectors = sql.Identifier(source.schema, source.table), sql.Identifier("rowvec", source.vector_table)
    wanted: dict[str, list[tuple[int, int, int, list[float]]]] = {}
    for name, text in connection.execute(
        sql.SQL("SELECT {}, {} FROM {} d").format(key, sql.SQL(source.text_sql), table)
    ).fetchall():
        whole = [chunks.Chunk(0, len(text or ""))]
        spans = (
            chunks.split(text, WordMeasure(), limit=source.chunk_limit, overlap=source.chunk_overlap)
            if text is not None and source.chunk_limit is not None
            else whole
        )
        wanted[name] = [
            (n, span.start, span.end, fake_vector(text[span.start : span.end]).tolist())
            for n, span in enumerate(spans if text is not None else ())
        ]
    there: dict[str, list[tuple[int, int, int, list[float]]]] = {}
    for name, number, start, end, vector in connection.execute(
        sql.SQL(
            "SELECT {}, chunk, chunk_start, chunk_end, embedding::text FROM {} WHERE chunk > 0 OR embedding IS NOT NULL"
            " ORDER BY chunk"
        ).format(key, vectors)
    ).fetchall():
        there.setdefault(name, []).append((number, start, end, from_text([vector])[0].tolist()))
    return [
        f"{'stale' if name in wanted else 'orphan'} {name}: {len(there.get(name, []))} chunks"
        for name in {**wanted, **there}
        if wanted.get(name, []) != there.get(name, [])
    ]


def assert_in_step(connection: psycopg.Connection, name: str, rows: int | None = None) -> None:
    """Wait, then assert that nothing differs, and that the source has as many vectors as said."""
    wait(connection, name)
    assert differences(connection, name) == []
    if rows is not None:
        vectors = sources.find(connection, name).vector_table
        query = sql.SQL("SELECT count(*) FROM rowvec.{} WHERE _hash IS NOT NULL").format(sql.Identifier(vectors))
        assert connection.execute(query).fetchone() == (rows,)


def until(connection: psycopg.Connection, query: str, wanted: object, seconds: float = 20.0) -> None:
    """Return when a query's first value is as wanted; fail after a while."""
    end = time.monotonic() + seconds
    while (row := connection.execute(query.encode()).fetchone()) is None or row[0] != wanted:
        assert time.monotonic() < end, f"{query}: {row}, not {wanted!r}"
        Event().wait(0.02)


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return when a condition of this process holds; fail after a while."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so within {seconds:.0f} s"
        Event().wait(0.02)
