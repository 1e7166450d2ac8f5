"""`rowvec bench search`: recall and latency of rowvec.search against brute force and hand-written pgvector SQL.

In a database of its own on the given server, which is dropped afterwards: clustered random vectors, one index kind
after the other. For each query, rowvec and the hand-written statement (same settings) take turns, and take turns in
going first, so that caches and what else the machine does count for both. A text's way into SQL and back is measured
with a model, in turns with the model alone; without one, with an encoder that takes no time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector.psycopg import register_vector

from rowvec.bench import points
from rowvec.bench.points import PARTS, Vectors
from rowvec.search import loopback
from rowvec.search.index_build import build
from rowvec.search.index_kinds import Kind
from rowvec.search.index_plan import plan
from rowvec.search.query_server import QueryEncoder, QueryServer

SELECTIVITIES = (0.5, 0.1, 0.05, 0.005, 0.0005)

BY_US = "SELECT key, distance FROM rowvec.search('documents', %(q)s, k => %(k)s, filter => %(rule)s)"
BY_HAND = (
    "SELECT d.id::text, v.embedding <=> %(q)s AS distance FROM rowvec.documents_vectors v"
    " JOIN documents d ON d.id = v.id ORDER BY v.embedding <=> %(q)s LIMIT %(k)s"
)
SETTINGS = "SELECT rowvec_internal.begin_search('documents', NULL, %(k)s, NULL, false)"  # for its transaction

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """One case; times in milliseconds. `ratio` is rowvec's median over the hand-written statement's."""

    kind: str
    case: str
    k: int
    recall: float
    rows_least: int
    p50_ms: float
    p99_ms: float
    hand_p50_ms: float | None = None
    hand_recall: float | None = None

    @property
    def ratio(self) -> float | None:
        """Rowvec's median over the hand-written statement's."""
        return None if self.hand_p50_ms is None else self.p50_ms / self.hand_p50_ms


@dataclass(frozen=True, slots=True)
class Report:
    """All cases of one run, and what they ran on."""

    server: str
    rows: int
    dims: int
    queries: int
    build_seconds: dict[str, float]
    text_way: str
    text_p50_ms: float
    text_p99_ms: float
    encoder_p50_ms: float  # of the same texts, without SQL
    results: tuple[Result, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return everything, for JSON."""
        found = asdict(self)
        for result, fields in zip(self.results, found["results"], strict=True):
            fields["ratio"] = result.ratio
        return found

    def lines(self) -> Iterator[str]:
        """Give a line for each case, then the text's way."""
        yield from map(line, self.results)
        yield (
            f"text to vector: {self.text_way}, p50 {self.text_p50_ms:.2f} ms, p99 {self.text_p99_ms:.2f} ms;"
            f" the encoder alone {self.encoder_p50_ms:.2f} ms"
        )


def run(
    url: str,
    *,
    rows: int = 100_000,
    dims: int = 384,
    queries: int = 200,
    kinds: Sequence[Kind] = ("vector", "halfvec", "bit"),
    memory: str = "1GB",
    encoder: QueryEncoder | None = None,
    progress: Say = lambda _line: None,
) -> Report:
    """Measure on the server of this URL, whose role must be allowed to make a database; `encoder` is for the texts."""
    vectors, asked = points.vectors(rows, dims), points.queries(rows, dims, queries)
    with points.database(url) as own, psycopg.connect(own, autocommit=True) as connection:
        register_vector(connection)
        points.load(connection, vectors, dims)
        progress(f"{rows:,} rows of {dims} dims are loaded")
        truth = asked @ vectors.T
        results: list[Result] = []
        seconds: dict[str, float] = {}
        for kind in kinds:
            begin = time.perf_counter()
            build(own, plan(connection, "documents", kind=kind), memory=memory)
            seconds[kind] = round(time.perf_counter() - begin, 1)
            progress(f"index of kind {kind}: {seconds[kind]} s")
            for result in _cases(connection, kind, asked, truth):
                results.append(result)
                progress(line(result))
        way, times, alone = _text(connection, own, encoder or _Instant(dims), queries)
        row = connection.execute(
            "SELECT 'PostgreSQL ' || current_setting('server_version') || ', pgvector ' || extversion"
            " FROM pg_extension WHERE extname = 'vector'"
        ).fetchone()
    server, encoder_p50 = row[0] if row else "", _percentiles(alone)[0]
    return Report(server, rows, dims, queries, seconds, way, *_percentiles(times), encoder_p50, tuple(results))


def line(result: Result) -> str:
    """Return a result as one line."""
    text = (
        f"{result.kind:8} {result.case:14} k={result.k:<4} p50 {result.p50_ms:7.2f} ms  p99 {result.p99_ms:7.2f} ms"
        f"  recall {result.recall:.3f}  rows {result.rows_least}"
    )
    if result.ratio is not None:
        text += f"  hand-written {result.hand_p50_ms:.2f} ms, {result.ratio:.2f}x"
    return text


def _cases(connection: psycopg.Connection, kind: Kind, asked: Vectors, truth: Vectors) -> Iterator[Result]:
    count = truth.shape[1]
    part = (np.arange(1, count + 1, dtype=np.int64) * 7919) % PARTS
    for k in (10, 200):
        yield _measure(connection, kind, "all rows", k, None, None, asked, truth)
    if kind == "vector":
        for share in SELECTIVITIES:
            below = int(PARTS * share)
            yield _measure(connection, kind, f"filter {share:.2%}", 10, f"part < {below}", part < below, asked, truth)


def _measure(
    connection: psycopg.Connection,
    kind: str,
    case: str,
    k: int,
    rule: str | None,
    mask: NDArray[np.bool_] | None,
    asked: Vectors,
    truth: Vectors,
) -> Result:
    ours, hand, our_recall, hand_recall, least = [], [], [], [], k
    compare = kind == "vector" and rule is None
    for number, query in enumerate(asked):
        scores = truth[number] if mask is None else np.where(mask, truth[number], -np.inf)
        possible = k if mask is None else min(k, int(mask.sum()))
        right = {int(key) + 1 for key in np.argpartition(-scores, possible - 1)[:possible]}
        values = {"q": query, "k": k, "rule": rule}
        for turn in (0, 1):
            if turn == number % 2:
                took, found = _timed(connection, BY_US, values)
                ours.append(took)
                our_recall.append(len(found & right) / possible)
                least = min(least, len(found))
            elif compare:
                with connection.transaction():
                    connection.execute(SETTINGS, values)
                    took, found = _timed(connection, BY_HAND, values)
                hand.append(took)
                hand_recall.append(len(found & right) / possible)
    recall, p50_p99 = round(statistics.fmean(our_recall), 4), _percentiles(ours)
    by_hand = (_percentiles(hand)[0], round(statistics.fmean(hand_recall), 4)) if hand else (None, None)
    return Result(kind, case, k, recall, least, *p50_p99, *by_hand)


def _timed(connection: psycopg.Connection, statement: str, values: dict[str, Any]) -> tuple[float, set[int]]:
    begin = time.perf_counter()
    rows = connection.execute(statement, values, prepare=False).fetchall()
    return time.perf_counter() - begin, {int(row[0]) for row in rows}


class _Instant:
    """An encoder that takes no time: what is left is the way of a text into SQL and back."""

    def __init__(self, dims: int) -> None:
        self._dims = dims

    def encode(self, texts: Sequence[str], *, prompt: str = "", urgent: bool = False) -> Vectors:
        return np.full((len(texts), self._dims), 0.0123456789, dtype=np.float32)


def _text(
    connection: psycopg.Connection, url: str, encoder: QueryEncoder, queries: int
) -> tuple[str, list[float], list[float]]:
    loopback.setup_if_possible(connection)
    server = QueryServer(url, lambda _model: encoder, lambda: [1])
    server.start()
    try:
        server.wait_ready(30)
        row = connection.execute("SELECT way FROM rowvec_internal.query_way()").fetchone()
        times, alone = [], []
        for number in range(queries + 10):
            text = f"a question, number {number}"
            begin = time.perf_counter()
            encoder.encode([text], urgent=True)
            between = time.perf_counter()
            connection.execute("SELECT rowvec.embed(%s)", (text,)).fetchall()
            times.append(time.perf_counter() - between)
            alone.append(between - begin)
    finally:
        server.stop()
        connection.execute("SELECT rowvec_internal.drop_loopback()")
    return (row[0] if row and row[0] else "none"), times[10:], alone[10:]


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return round(statistics.median(ordered) * 1e3, 3), round(ordered[int(len(ordered) * 0.99) - 1] * 1e3, 3)
