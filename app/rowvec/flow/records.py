"""What a claim gives and what becomes of it: the data between claim, plan, encoder and ack, and an ack's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import lru_cache
from inspect import signature
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.rows import RowMaker

from rowvec.database.vectors import VectorArray


class Lane(IntEnum):
    """Which changes: what users write now, or a backfill; live changes are claimed first."""

    LIVE = 0
    BACKFILL = 1


@dataclass(frozen=True, slots=True)
class ChangeId:
    """A change of one source and lane, under one claim."""

    seq: int
    part: int
    claimed_at: datetime  # tells this claim from every other: see ack.sql


_change_id = lru_cache(maxsize=8)(ChangeId)  # the rows of a claim that belong to one change come one after another


@dataclass(frozen=True, slots=True)
class StoredChunks:
    """What the vector table has of a key's chunks: their hashes in order, and where in the text the last one ends."""

    hashes: tuple[bytes | None, ...] = ()
    end: int | None = None  # None: there are no chunks; -1: one of them is missing

    def hold(self, text: str | None) -> bool:
        """Do these chunks reach to the end of the text?"""
        return self.end is None if text is None else self.end is not None and self.end >= len(text.rstrip())


_NO_CHUNKS = StoredChunks()


@dataclass(frozen=True, slots=True)
class Claim:
    """One key of a claimed change, with its row's text and what is stored for it, as one snapshot saw them."""

    change: ChangeId
    attempts: int
    key: str | None  # None: recheck the whole source
    enqueued_at: datetime
    stored_hash: bytes | None
    version: int  # 0: there is no vector row
    text: str | None  # None: there is no row with this key, or its text is empty
    truncated: bool = False  # was the stored vector's text beyond the model's limit?
    stored: StoredChunks = _NO_CHUNKS

    @classmethod
    def from_row(
        cls,
        seq: int,
        part: int,
        claimed_at: datetime,
        attempts: int,
        key: str | None,
        enqueued_at: datetime,
        stored_hash: bytes | None,
        version: int | None,
        text: str | None,
        truncated: bool | None,
        chunk_hashes: list[bytes | None] | None,
        chunks_end: int | None,
    ) -> Claim:
        """Take the columns of claim.sql, which are called as these parameters."""
        stored = StoredChunks(tuple(chunk_hashes), chunks_end) if chunk_hashes else _NO_CHUNKS
        return cls(
            _change_id(seq, part, claimed_at),
            attempts,
            key,
            enqueued_at,
            stored_hash,
            version or 0,
            text,
            bool(truncated),
            stored,
        )


_CLAIM_COLUMNS = tuple(signature(Claim.from_row).parameters)


def claim_row(cursor: Cursor[Any]) -> RowMaker[Claim]:
    """Make claims of a cursor's rows. Columns are found by name once: with kwargs_row 512 take 1.6 ms, so 1.0."""
    places = {column.name: place for place, column in enumerate(cursor.description or ())}
    in_order = itemgetter(*(places[name] for name in _CLAIM_COLUMNS))
    return lambda values: Claim.from_row(*in_order(values))


@dataclass(frozen=True, slots=True)
class PlannedChunk:
    """What one vector is made of: a text or a chunk of it, by its place in characters; encoded or copied."""

    start: int
    end: int
    hash: bytes | None = None
    copied_from: int | None = None  # the number of the stored chunk that has the same text
    text: str | None = None  # to be stored beside the vector
    vector_row: int | None = None  # the row of the matrix


@dataclass(frozen=True, slots=True)
class Result:
    """What to write for a key: the vectors of its chunks, nothing new (keep), or NULL."""

    claim: Claim
    text_hash: bytes | None = None
    chunks: tuple[PlannedChunk, ...] = ()
    keep: bool = False
    truncated: bool = False

    @property
    def vector_row(self) -> int | None:
        """The row of the matrix, where the key has one vector."""
        return self.chunks[0].vector_row if self.chunks else None


@dataclass(frozen=True, slots=True)
class Failure:
    """A key whose text could not be embedded."""

    claim: Claim
    error: str
    text_length: int
    text_hash: bytes
    final: bool = False  # another try would not help


@dataclass(frozen=True, slots=True)
class Acked:
    """What an ack did: changes finished, keys written or kept, changes that lost a race and went back to the log."""

    changes: int
    keys: int
    released: int
    owned: int = field(default=0, compare=False)  # changes that were to be finished and still leased to this daemon
    again_seconds: float | None = field(default=None, compare=False)  # column mode: when to try locked rows again


def _keys(results: Sequence[Result]) -> dict[str, object]:
    """The keys to be written, and what becomes of each."""
    return {
        "keys": [result.claim.key for result in results],
        "key_seqs": [result.claim.change.seq for result in results],
        "key_parts": [result.claim.change.part for result in results],
        "versions": [result.claim.version for result in results],
        "hashes": [result.text_hash for result in results],
        "keeps": [result.keep for result in results],
        "truncated": [result.truncated for result in results],
        "were_truncated": [result.claim.truncated for result in results],
    }


def vector_values(results: Sequence[Result], matrix: NDArray[np.float32]) -> dict[str, object]:
    """The keys to be written, and those rows of the matrix that they name."""
    rows = [result.vector_row for result in results if result.vector_row is not None]
    places = {row: place for place, row in enumerate(rows, 1)}
    return {
        **_keys(results),
        "vector_rows": [None if result.vector_row is None else places[result.vector_row] for result in results],
        "vectors": VectorArray(matrix if rows == list(range(len(matrix))) else matrix[rows]),
    }


def chunk_values(results: Sequence[Result], matrix: NDArray[np.float32]) -> dict[str, object]:
    """The keys to be written with the number of their chunks, and each chunk with the place of its key."""
    chunks = [(n, i, chunk) for n, result in enumerate(results, 1) for i, chunk in enumerate(result.chunks)]
    return {
        **_keys(results),
        "counts": [len(result.chunks) for result in results],
        "chunk_results": [n for n, _, _ in chunks],
        "chunks": [i for _, i, _ in chunks],
        "chunk_starts": [chunk.start for _, _, chunk in chunks],
        "chunk_ends": [chunk.end for _, _, chunk in chunks],
        "chunk_texts": [chunk.text for _, _, chunk in chunks],
        "chunk_hashes": [chunk.hash for _, _, chunk in chunks],
        "chunk_sources": [chunk.copied_from for _, _, chunk in chunks],
        "vector_rows": [None if chunk.vector_row is None else chunk.vector_row + 1 for _, _, chunk in chunks],
        "vectors": VectorArray(matrix),
    }
