"""`rowvec bench sync`: what the change log costs, with an encoder that is free, so that only rowvec is measured.

Writers: the same statement on a watched table and on its unwatched twin, in turn, and the median of the ratios. Drain:
how many rows a second one daemon claims and writes. Latency: from INSERT on an idle table to the vector.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, sql

from rowvec.bench.daemon import serving
from rowvec.database.connection import connect
from rowvec.settings import Settings

DIMS = 384
NAME = "rowvec_bench"
_TWIN = f"{NAME}_unwatched"


@dataclass(frozen=True, slots=True)
class Writer:
    """One statement on the watched and the unwatched table; medians in milliseconds, and the median of the ratios."""

    statement: str
    watched_ms: float
    unwatched_ms: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    server: str
    writers: tuple[Writer, ...]
    drain_rows_per_second: float | None
    latency_ms: dict[str, float]  # p50, p95, p99

    def as_dict(self) -> dict[str, Any]:
        """Return what --json prints."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Give a line for each statement, then the drain's and the latencies'."""
        for writer in self.writers:
            times = f"{writer.watched_ms:10.3f} ms watched {writer.unwatched_ms:10.3f} ms unwatched"
            yield f"{writer.statement:40} {times} {writer.ratio:5.2f}x"
        if self.drain_rows_per_second:
            yield f"claim, encode for nothing, write: {self.drain_rows_per_second:,.0f} rows/s"
            yield "INSERT to vector: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in self.latency_ms.items())


class Characters:
    """Counts characters, for an encoder that has no tokens."""

    def count(self, texts: Sequence[str], prompt: str = "") -> list[int]:
        """See `rowvec.encode.chunks.Measure`."""
        return [len(prompt + text) for text in texts]

    def starts(self, text: str, prompt: str = "") -> tuple[NDArray[np.int64], int | None]:
        """See `rowvec.encode.chunks.Measure`."""
        return np.arange(len(text)), len(prompt + text)


class FreeEncoder:
    """Vectors that cost nothing: rows of one random matrix, chosen by the text's hash."""

    dims = DIMS
    measure = Characters()

    def __init__(self) -> None:
        self._rows = np.random.default_rng(0).standard_normal((997, DIMS), dtype=np.float32)

    def encode(
        self,
        texts: Sequence[str],
        *,
        prompt: str = "",
        urgent: bool = False,
        truncated: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """Return float32 (len(texts), 384)."""
        return self._rows[[hash(text) % 997 for text in texts]]


# (name, statement, times, rows that are there before)
_WRITERS = (
    ("bulk INSERT of 40,000 rows", "INSERT INTO {} (body) SELECT 'text ' || g FROM generate_series(1, 40000) g", 1, 0),
    ("single-row INSERT", "INSERT INTO {} (body) VALUES ('some text')", 300, 1000),
    ("UPDATE of another column, 20,000 rows", "UPDATE {} SET views = views + 1", 1, 20_000),
    ("UPDATE of another column, one row", "UPDATE {} SET views = views + 1 WHERE id = 7", 300, 1000),
    ("UPDATE of the text, 5,000 rows", "UPDATE {} SET body = body || 'x'", 1, 5000),
    ("UPDATE of the text, one row", "UPDATE {} SET body = body || 'x' WHERE id = 7", 300, 1000),
    ("DELETE of 20,000 rows", "DELETE FROM {}", 1, 20_000),
)


def run(
    url: str,
    settings: Settings,
    *,
    writers_only: bool = False,
    rows: int = 100_000,
    rounds: int = 9,
    progress: Callable[[str], None] = lambda _line: None,
) -> Report:
    """Measure on the server at `url`, in tables of its own, which are dropped at the end."""
    with connect(url, application="rowvec bench") as connection, _tables(connection):
        connection.execute("RESET synchronous_commit")  # a user's commits wait for the disk, as the server is set
        connection.execute("SET statement_timeout = 0")
        row = connection.execute("SHOW server_version").fetchone()
        writers = []
        for name, statement, times, before in _WRITERS:
            progress(name)
            writers.append(_writer(connection, name, statement, times, before, rounds))
        drain, latency = None, {}
        if not writers_only:
            _refill(connection, 0)
            with serving(url, settings, NAME, FreeEncoder()):
                progress("latency")
                latency = _latency(connection)
                progress("drain")
                drain = _drain(connection, rows)
        return Report(row[0] if row else "?", tuple(writers), drain, latency)


@contextmanager
def _tables(connection: Connection) -> Iterator[None]:
    _clean(connection)
    connection.execute(
        "INSERT INTO rowvec_internal.model (name, fingerprint, dims, max_tokens, manifest) VALUES (%s, %s, %s,"
        " 256, '{}')",
        (NAME, NAME, DIMS),
    )
    for table in (NAME, _TWIN):
        connection.execute(
            sql.SQL(
                "CREATE TABLE {} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, views int DEFAULT 0)"
            ).format(sql.Identifier(table))
        )
    connection.execute("SELECT rowvec.watch(%s, 'body', model => %s, backfill => false)", (NAME, NAME))
    try:
        yield
    finally:
        _clean(connection)


def _clean(connection: Connection) -> None:
    connection.execute(
        "SELECT rowvec.unwatch(name, drop_vectors => true) FROM rowvec_internal.source WHERE name = %s", (NAME,)
    )
    for table in (NAME, _TWIN):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
    connection.execute("DELETE FROM rowvec_internal.model WHERE name = %s", (NAME,))


def _refill(connection: Connection, rows: int) -> None:
    """Begin anew: both tables with so many rows, nothing in the log."""
    for table in (NAME, _TWIN):
        name = sql.Identifier(table)
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(name))
        connection.execute(
            sql.SQL("INSERT INTO {} (body) SELECT 'text ' || g FROM generate_series(1, {}) g").format(name, rows)
        )
        connection.execute(sql.SQL("VACUUM ANALYZE {}").format(name))
    connection.execute(
        "DELETE FROM rowvec_internal.change WHERE source_id = (SELECT id FROM rowvec_internal.source WHERE name = %s)",
        (NAME,),
    )


def _writer(connection: Connection, name: str, statement: str, times: int, before: int, rounds: int) -> Writer:
    watched: list[float] = []
    unwatched: list[float] = []
    for number in range(rounds):
        _refill(connection, before)
        order = [(NAME, watched), (_TWIN, unwatched)]
        for table, seconds in order if number % 2 else reversed(order):
            query = sql.SQL(statement).format(sql.Identifier(table))  # type: ignore[arg-type, unused-ignore]
            start = time.perf_counter()
            for _ in range(times):
                connection.execute(query)
            seconds.append((time.perf_counter() - start) / times * 1e3)
    ratios = [ours / theirs for ours, theirs in zip(watched, unwatched, strict=True)]
    return Writer(name, statistics.median(watched), statistics.median(unwatched), statistics.median(ratios))


def _latency(connection: Connection, samples: int = 200) -> dict[str, float]:
    """From an INSERT to its vector, in milliseconds, looked for without a pause on one connection."""
    taken: list[float] = []
    insert = sql.SQL("INSERT INTO {} (body) VALUES ('text') RETURNING id").format(sql.Identifier(NAME))
    look = sql.SQL("SELECT FROM {} WHERE id = %s AND embedding IS NOT NULL").format(
        sql.Identifier("rowvec", f"{NAME}_vectors")
    )
    for _ in range(samples):
        connection.execute("SELECT pg_sleep(0.02)")  # let the daemon fall asleep
        start = time.perf_counter()
        key = connection.execute(insert).fetchone()
        while connection.execute(look, key).fetchone() is None:
            pass
        taken.append((time.perf_counter() - start) * 1e3)
    cuts = statistics.quantiles(taken[samples // 10 :], n=100)
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def _drain(connection: Connection, rows: int) -> float:
    start = time.perf_counter()
    connection.execute(
        sql.SQL("INSERT INTO {} (body) SELECT 'text ' || g FROM generate_series(1, {}) g").format(
            sql.Identifier(NAME), rows
        )
    )
    connection.execute("CALL rowvec.wait(%s, '10 min')", (NAME,))
    return rows / (time.perf_counter() - start)
