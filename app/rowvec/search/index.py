"""The vectors' HNSW index: chosen by dims and size, built while reads and writes go on, rebuilt, with progress.

It belongs after the backfill: filling a table that has the index is many times slower than building it at the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Literal

import psycopg
from psycopg import Connection, sql
from psycopg.rows import dict_row

from rowvec.database.connection import connect
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import SettingsError, SourceError

Kind = Literal["vector", "halfvec", "bit"]
MOST_DIMS: dict[Kind, int] = {"vector": 2000, "halfvec": 4000, "bit": 64_000}  # pgvector's limits for HNSW
BYTES_PER_DIM: dict[Kind, float] = {"vector": 4, "halfvec": 2, "bit": 1 / 8}
MANY_ROWS = 1_000_000  # from here on, half the memory counts for more than the last digit
SOUND_VERSION = (0, 8, 4)  # earlier ones could corrupt an HNSW index in VACUUM (0.8.3), or leave its graph unrepaired
OPERATORS = {"cosine": "cosine", "dot": "ip", "euclidean": "l2"}
POLL_SECONDS = 0.5
LOCK = (0x726F7776, 3)  # 'rowv': one build at a time; 1 and 2 are of rowvec.search.query_server


class BuildGoesOn(SourceError):
    """Another build goes on; wait for its end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The index that a source gets, and what to know before it is built."""

    source: str
    kind: Kind
    m: int
    ef_construction: int
    rows: int
    bytes_needed: int
    present: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict, repr=False)


def plan(
    connection: Connection,
    source: str,
    *,
    kind: Kind | Literal["auto"] = "auto",
    m: int = 16,
    ef_construction: int = 64,
) -> Plan:
    """Choose the index of a source; raise SourceError when there is no such source or no kind fits its dims."""
    with translated(), connection.cursor(row_factory=dict_row) as cursor:
        facts = cursor.execute(statement("search/index_facts"), [source]).fetchone()
    if facts is None:
        raise SourceError(f'there is no source "{source}"', hint="`rowvec status` lists them.")
    if ef_construction < 2 * m:
        raise SettingsError(f"ef_construction is {ef_construction}, and must be at least twice m ({m})")
    dims, rows = facts["dims"], facts["rows"]
    if facts["partitioned"]:
        raise SourceError(
            f"{facts['vectors']} is partitioned, and such a table's index cannot be built while writes go on",
            hint="Build one on each partition with CREATE INDEX CONCURRENTLY; rowvec.search uses them.",
        )
    half = bool(facts["half"])  # the column itself holds no more
    chosen = _choose(dims, MANY_ROWS if half else rows) if kind == "auto" else kind
    if half and chosen == "vector":
        raise SourceError("the column is a halfvec: an index of kind vector would hold no more", hint="Use kind auto.")
    if dims > MOST_DIMS[chosen]:
        raise SourceError(
            f"an HNSW index of kind {chosen} holds {MOST_DIMS[chosen]} dims at most, and the model has {dims}",
            hint="Leave the kind out: the one that fits is chosen.",
        )
    if chosen == "bit" and facts["similarity"] != "cosine":
        raise SourceError(f"a bit index does not fit {facts['similarity']} similarity", hint="Use kind halfvec.")
    needed = _bytes(chosen, dims, rows, m)
    return Plan(
        source=source,
        kind=chosen,
        m=m,
        ef_construction=ef_construction,
        rows=rows,
        bytes_needed=needed,
        present=tuple(index["name"] for index in facts["present"] if index["valid"]),
        broken=tuple(index["name"] for index in facts["present"] if not index["valid"]),
        warnings=tuple(_warnings(facts, needed)),
        facts=facts,
    )


def build(
    url: str,
    chosen: Plan,
    *,
    memory: str | None = None,
    on_progress: Callable[[str, float], None] = lambda _phase, _share: None,
) -> str:
    """Build the planned index beside those that are there, then drop them; return its name.

    `memory` is maintenance_work_mem for the build, as in '2GB'. `on_progress` is called with the phase and the share of
    it (0 to 1), in the caller's thread, every half second. What an interrupted build left invalid is dropped first.
    Ctrl-C, or what `on_progress` raises, cancels. Raises BuildGoesOn when an index is being built here already.
    """
    if not chosen.facts["backfilled"]:
        raise SourceError(
            f'the backfill of source "{chosen.source}" is not done',
            hint=f"Wait for it: `rowvec backfill {chosen.source}`. An index makes it many times slower.",
        )
    with connect(url, application="rowvec index") as builder, connect(url, application="rowvec index") as watcher:
        if builder.pooled:
            raise SettingsError(
                "an index cannot be built through a pooler in transaction mode",
                hint="Name a direct connection in ROWVEC_LISTEN_URL.",
            )
        with translated():
            row = builder.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone()
            # Read once more under the lock: what another build made, or left invalid, before we had it.
            now = plan(builder, chosen.source, kind=chosen.kind, m=chosen.m, ef_construction=chosen.ef_construction)
            if row != (True,) or now.facts["building"]:  # or one by hand, whose index is invalid until it is done
                raise BuildGoesOn("an index is being built already", hint="Wait for its end, then try again.")
            name = _free_name(now.facts)
            builder.execute("SET statement_timeout = 0; SET lock_timeout = 0")
            if memory:
                builder.execute("SELECT set_config('maintenance_work_mem', %s, false)", [memory])
            for broken in now.broken:
                builder.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(_verbatim(broken)))
        _run(builder, watcher, _statement(now, name), on_progress)
        with translated():
            for old in now.present:
                builder.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(_verbatim(old)))
            builder.execute(statement("search/index_done"), {"source": chosen.source})
    return name


def build_text(url: str, source: str, language: str = "english") -> str:
    """Build the full text index that rowvec.hybrid_search uses for a language; return its name."""
    with connect(url, application="rowvec index") as builder, translated():
        builder.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        row = builder.execute(statement("search/index_text"), [language, source]).fetchone()
        if row is None:
            raise SourceError(f'there is no source "{source}"', hint="`rowvec status` lists them.")
        name = f"rowvec_{source}_text_{language}"[:63]
        builder.execute(
            sql.SQL("CREATE INDEX CONCURRENTLY IF NOT EXISTS {} ON {} USING gin (({}))").format(
                sql.Identifier(name), _verbatim(row[1]), _verbatim(row[0])
            )
        )
    return name


def _choose(dims: int, rows: int) -> Kind:
    if dims > MOST_DIMS["halfvec"]:
        return "bit"
    return "halfvec" if dims > MOST_DIMS["vector"] or rows >= MANY_ROWS else "vector"


def _bytes(kind: Kind, dims: int, rows: int, m: int) -> int:
    """Estimate the graph's size while it is built: the values, 2 m neighbours of 8 bytes and a little for the rest."""
    return int(rows * (dims * BYTES_PER_DIM[kind] + 2 * m * 8 * 1.2 + 128))


def _warnings(facts: dict[str, Any], needed: int) -> list[str]:
    found = []
    version = tuple(int(part) for part in facts["version"].split("."))
    if version < SOUND_VERSION:
        found.append(
            f"pgvector {facts['version']} has bugs that can damage an HNSW index; 0.8.4 or newer has not."
            " After an update: ALTER EXTENSION vector UPDATE, then build it again"
        )
    if needed > facts["memory"]:
        size = max(1, -(-needed // 2**20))
        found.append(
            f"the build needs about {size:,} MB; maintenance_work_mem is {facts['memory'] // 2**20:,} MB, and a graph"
            f" that does not fit is built many times slower: --memory {size}MB, if the server has it to spare"
        )
    if facts["in_row"]:
        found.append(
            "the vectors are in the table itself: an UPDATE of a row, of whatever column, then enters its vector into"
            " the index again. Measured: 500 rows took 100 times as long, one row with its commit 6 times. Keep the"
            " vectors of a table that is updated often in a table of their own (watch it without into_column), or leave"
            " room in its pages: with fillfactor = 50 the index was left alone"
        )
    return found


def _free_name(facts: dict[str, Any]) -> str:
    stem = facts["bare"].strip('"')
    taken = {index["name"].split(".")[-1].strip('"') for index in facts["present"]}
    return next(name for name in (f"{stem}_hnsw{n}" for n in itertools.count(1)) if name not in taken)


def _statement(chosen: Plan, name: str) -> sql.Composed:
    facts = chosen.facts
    schema, dims, column = sql.Identifier(facts["schema"]), sql.Literal(facts["dims"]), _verbatim(facts["embedding"])
    if chosen.kind == "vector":
        expression: sql.Composable = column
        operators = f"vector_{OPERATORS[facts['similarity']]}_ops"
    elif chosen.kind == "halfvec":
        cast = sql.SQL("({}::{}.halfvec({}))").format(column, schema, dims)
        expression = column if facts["half"] else cast
        operators = f"halfvec_{OPERATORS[facts['similarity']]}_ops"
    else:
        expression = sql.SQL("({}.binary_quantize({})::bit({}))").format(schema, column, dims)
        operators = "bit_hamming_ops"
    return statement("search/index_build").format(
        name=sql.Identifier(name),
        vectors=_verbatim(facts["vectors"]),
        expression=expression,
        opclass=sql.Identifier(facts["schema"], operators),
        m=sql.Literal(chosen.m),
        ef_construction=sql.Literal(chosen.ef_construction),
    )


def _run(
    builder: Connection, watcher: Connection, creation: sql.Composed, on_progress: Callable[[str, float], None]
) -> None:
    """Execute in a thread and report from here; an exception here cancels the build."""
    failed: list[BaseException] = []
    ended = Event()

    def execute() -> None:
        try:
            builder.execute(creation)
        except psycopg.Error as error:
            failed.append(error)
        finally:
            ended.set()

    thread = Thread(target=execute, name="rowvec index")
    thread.start()
    try:
        while not ended.wait(POLL_SECONDS):
            with translated():
                row = watcher.execute(statement("search/index_progress"), [builder.info.backend_pid]).fetchone()
            if row:
                on_progress(row[0], min(1.0, row[1]))
    except BaseException:
        with suppress(psycopg.Error):  # there may be no server any more
            builder.cancel_safe()
        raise
    finally:
        thread.join()
    with translated():
        if failed:
            raise failed[0]


def _verbatim(text: str) -> sql.SQL:
    """Return SQL that the server itself has quoted."""
    return sql.SQL(text)  # type: ignore[arg-type, unused-ignore]
