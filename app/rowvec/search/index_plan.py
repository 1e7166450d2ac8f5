"""Chooses the HNSW index of a source, by the dims and the number of its vectors, and says what to know before."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import class_row

from rowvec.database.statements import rows, statement
from rowvec.errors import SettingsError, SourceError
from rowvec.search.index_kinds import KINDS, Choice, Kind, Similarity

MANY_ROWS = 1_000_000  # from here on, half the memory counts for more than the last digits
SOUND_VERSION = (0, 8, 4)  # earlier ones can corrupt an HNSW index in VACUUM (0.8.3), or leave its graph unrepaired


@dataclass(frozen=True, slots=True)
class Facts:
    """A row of index_facts.sql: where a source's vectors are, and what is there. The server has quoted the names."""

    vectors: str
    embedding: str
    in_row: bool  # the vectors are in the user's own table
    partitioned: bool
    half: bool  # the column itself is a halfvec
    stem: str  # what the indexes' names begin with, not quoted
    dims: int
    similarity: Similarity
    version: str  # of pgvector
    schema: str
    rows: int
    backfilled: bool
    memory: int  # maintenance_work_mem, in bytes
    building: bool
    present: list[str]  # the indexes of ours that are valid
    broken: list[str]  # and those that an interrupted build left


@dataclass(frozen=True, slots=True)
class Plan:
    """The index that a source gets."""

    source: str
    kind: Kind
    m: int
    ef_construction: int
    facts: Facts

    @property
    def bytes_needed(self) -> int:
        """About the size of the graph while it is built: the values, 2 m neighbours of 8 bytes, and some overhead."""
        per_row = self.facts.dims * KINDS[self.kind].bytes_per_dim + 2 * self.m * 8 * 1.2 + 128
        return int(self.facts.rows * per_row)

    @property
    def warnings(self) -> Iterator[str]:
        """What may make the index or its build worse than it need be."""
        facts = self.facts
        if tuple(int(part) for part in facts.version.split(".")) < SOUND_VERSION:
            yield (
                f"pgvector {facts.version} has bugs that can damage an HNSW index, which 0.8.4 has not."
                " After an update: ALTER EXTENSION vector UPDATE, then build the index again"
            )
        if self.bytes_needed > facts.memory:
            size = max(1, -(-self.bytes_needed // 2**20))
            yield (
                f"the build needs about {size:,} MB; maintenance_work_mem is {facts.memory // 2**20:,} MB, and a graph"
                f" that does not fit is built many times slower: --memory {size}MB, if the server has it to spare"
            )
        if facts.in_row:
            yield (
                "the vectors are in the table itself: an UPDATE of any column of a row enters its vector into the index"
                " again. Measured: 500 rows took 100 times as long, one row with its commit 6 times. Keep the vectors"
                " of a table that is updated often in a table of their own (watch it without into_column), or leave"
                " room in its pages: with fillfactor = 50 the index was left alone"
            )

    def creation(self) -> tuple[str, sql.Composed]:
        """Return a name that is free, and the statement that makes the index."""
        facts, kind = self.facts, KINDS[self.kind]
        taken = {name.split(".")[-1].strip('"') for name in (*facts.present, *facts.broken)}
        name = next(name for name in (f"{facts.stem}_hnsw{n}" for n in itertools.count(1)) if name not in taken)
        column, schema = verbatim(facts.embedding), sql.Identifier(facts.schema)
        expression = verbatim("{column}" if facts.half and self.kind == "halfvec" else kind.expression)
        creation = statement("search/index_build").format(
            name=sql.Identifier(name),
            vectors=verbatim(facts.vectors),
            expression=expression.format(column=column, schema=schema, dims=sql.Literal(facts.dims)),
            opclass=sql.Identifier(facts.schema, kind.operator_classes[facts.similarity]),
            m=sql.Literal(self.m),
            ef_construction=sql.Literal(self.ef_construction),
        )
        return name, creation


def plan(connection: Connection, source: str, *, kind: Choice = "auto", m: int = 16, ef_construction: int = 64) -> Plan:
    """Choose the index of a source; raise SourceError when there is no such source or no kind fits its dims."""
    found = rows(connection, class_row(Facts), statement("search/index_facts"), [source])
    if not found:
        raise SourceError(f'there is no source "{source}"', hint="`rowvec status` lists them.")
    if ef_construction < 2 * m:
        raise SettingsError(f"ef_construction is {ef_construction}, and must be at least twice m ({m})")
    (facts,) = found
    if facts.partitioned:
        raise SourceError(
            f"{facts.vectors} is partitioned, and such a table's index cannot be built while writes go on",
            hint="Build one on each partition with CREATE INDEX CONCURRENTLY; rowvec.search uses them.",
        )
    chosen = choose(facts) if kind == "auto" else kind
    if facts.half and chosen == "vector":
        raise SourceError("the column is a halfvec: an index of kind vector would hold no more", hint="Use kind auto.")
    if facts.dims > KINDS[chosen].most_dims:
        raise SourceError(
            f"an HNSW index of kind {chosen} holds {KINDS[chosen].most_dims} dims at most,"
            f" and the model has {facts.dims}",
            hint="Leave the kind out: the one that fits is chosen.",
        )
    if facts.similarity not in KINDS[chosen].operator_classes:
        raise SourceError(f"a {chosen} index does not fit {facts.similarity} similarity", hint="Use kind halfvec.")
    return Plan(source, chosen, m, ef_construction, facts)


def choose(facts: Facts) -> Kind:
    """Return the kind that holds most of a vector; half of it where the table is large or a column is no more."""
    if facts.dims > KINDS["halfvec"].most_dims:
        return "bit"
    large = facts.half or facts.rows >= MANY_ROWS
    return "halfvec" if large or facts.dims > KINDS["vector"].most_dims else "vector"


def verbatim(text: str) -> sql.SQL:
    """Return SQL that the server has quoted, or that is written in this package."""
    return sql.SQL(text)  # type: ignore[arg-type, unused-ignore]
