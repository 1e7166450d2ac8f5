"""`rowvec bench sync --chunks`: what splitting texts into chunks costs, with the default model.

One table holds long documents, which its source splits into chunks; in the other each chunk is a row, and its source
does not split. Both give the same vectors of the same tokens, in turns, and the median of the ratios is reported.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection, sql

from rowvec.bench.corpora import docstrings
from rowvec.bench.daemon import serving
from rowvec.database.connection import connect
from rowvec.encode import chunks
from rowvec.encode.encoder import Encoder
from rowvec.settings import Settings

NAME = "rowvec_bench_chunks"
_TWIN = f"{NAME}_rows"
CHUNK_TOKENS, OVERLAP = 200, 20
_DOCUMENT_CHARACTERS = 16_000  # about 4,000 tokens


@dataclass(frozen=True, slots=True)
class Report:
    """Medians; the ratio is the speed with chunks over that without. On a busy machine, look at that by CPU time."""

    documents: int
    chunks: int
    tokens: int
    precision: str
    with_chunks_tokens_per_second: float
    without_tokens_per_second: float
    ratio: float
    ratios: tuple[float, ...]
    cpu_ratio: float

    def as_dict(self) -> dict[str, Any]:
        """Return what --json prints."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Give a line for each figure."""
        yield f"{self.documents} documents, {self.chunks} chunks, {self.tokens:,} tokens, {self.precision}"
        yield f"with chunks:        {self.with_chunks_tokens_per_second:,.0f} tokens/s"
        yield f"a row for each:     {self.without_tokens_per_second:,.0f} tokens/s"
        yield f"ratio:              {self.ratio:.3f} ({min(self.ratios):.3f} to {max(self.ratios):.3f})"
        yield f"ratio by CPU time:  {self.cpu_ratio:.3f}"


def run(
    url: str,
    settings: Settings,
    encoder: Encoder,
    *,
    documents: int = 12,
    rounds: int = 5,
    progress: Callable[[str], None] = lambda _line: None,
) -> Report:
    """Measure on the server at `url`, in tables of its own, which are dropped at the end."""
    texts = _documents(documents)
    rows_of_chunks = [
        text[chunk.start : chunk.end]
        for text in texts
        for chunk in chunks.split(text, encoder.measure, limit=CHUNK_TOKENS, overlap=OVERLAP)
    ]
    tokens = sum(encoder.measure.count(rows_of_chunks))
    speeds: dict[str, list[float]] = {NAME: [], _TWIN: []}
    costs: dict[str, list[float]] = {NAME: [], _TWIN: []}  # of this process, seconds of CPU; the server's is not in it
    legs = [(NAME, texts), (_TWIN, rows_of_chunks)]
    with connect(url, application="rowvec bench") as connection, _tables(connection, encoder):
        connection.execute("SET statement_timeout = 0")
        with serving(url, settings, NAME, encoder):
            for table, rows in legs:
                _drain(connection, table, rows[:3])  # the daemon knows the source, and how fast it is
            for number in range(rounds):
                progress(f"round {number + 1}")
                for table, rows in legs if number % 2 else reversed(legs):
                    before = time.process_time()
                    speeds[table].append(tokens / _drain(connection, table, rows))
                    costs[table].append(time.process_time() - before)
    ratios = [a / b for a, b in zip(speeds[NAME], speeds[_TWIN], strict=True)]
    cpu_ratio = statistics.median(b / a for a, b in zip(costs[NAME], costs[_TWIN], strict=True))
    ours, theirs = (statistics.median(speeds[table]) for table in (NAME, _TWIN))
    return Report(
        documents=len(texts),
        chunks=len(rows_of_chunks),
        tokens=tokens,
        precision=settings.precision,
        with_chunks_tokens_per_second=ours,
        without_tokens_per_second=theirs,
        ratio=statistics.median(ratios),
        ratios=tuple(ratios),
        cpu_ratio=cpu_ratio,
    )


def _documents(count: int) -> list[str]:
    """Long texts, put together from the standard library's docstrings."""
    texts: list[str] = []
    text = ""
    for docstring in docstrings():
        text += docstring + "\n\n"
        if len(text) >= _DOCUMENT_CHARACTERS:
            texts.append(text)
            text = ""
        if len(texts) == count:
            break
    return texts


@contextmanager
def _tables(connection: Connection, encoder: Encoder) -> Iterator[None]:
    _clean(connection)
    connection.execute(
        "INSERT INTO rowvec_internal.model (name, fingerprint, dims, max_tokens, manifest) VALUES (%s, %s, %s,"
        " %s, '{}')",
        (NAME, NAME, encoder.dims, CHUNK_TOKENS),
    )
    for table, chunk_tokens, overlap in ((NAME, CHUNK_TOKENS, OVERLAP), (_TWIN, None, 0)):
        connection.execute(
            sql.SQL("CREATE TABLE {} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)").format(
                sql.Identifier(table)
            )
        )
        connection.execute(
            "SELECT rowvec.watch(%s::text::regclass, 'body', model => %s, backfill => false, chunk_tokens => %s::int,"
            " chunk_overlap => %s)",
            (table, NAME, chunk_tokens, overlap),
        )
    try:
        yield
    finally:
        _clean(connection)


def _clean(connection: Connection) -> None:
    for table in (NAME, _TWIN):
        connection.execute(
            "SELECT rowvec.unwatch(name, drop_vectors => true) FROM rowvec_internal.source WHERE name = %s", (table,)
        )
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
    connection.execute("DELETE FROM rowvec_internal.model WHERE name = %s", (NAME,))


def _drain(connection: Connection, table: str, rows: list[str]) -> float:
    """Seconds from the INSERT of the rows until they are searchable; after it the table is empty again."""
    name = sql.Identifier(table)
    start = time.perf_counter()
    connection.execute(sql.SQL("INSERT INTO {} (body) SELECT unnest(%s::text[])").format(name), (rows,))
    connection.execute("CALL rowvec.wait(%s, '10 min')", (table,))
    seconds = time.perf_counter() - start
    connection.execute(sql.SQL("DELETE FROM {}").format(name))
    connection.execute("CALL rowvec.wait(%s, '10 min')", (table,))
    return seconds
