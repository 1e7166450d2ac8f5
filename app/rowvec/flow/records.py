"""What a claim gives and what becomes of it: the data between claim, plan, encoder and ack, and an ack's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from rowvec.database.vectors import VectorArray


@dataclass(frozen=True, slots=True)
class ChangeId:
    """A change of one source and lane, under one claim."""

    seq: int
    part: int
    claimed_at: datetime  # tells this claim from every other: see ack.sql


@dataclass(frozen=True, slots=True)
class Stored:
    """What is there of a key's chunks: their hashes in order, and where in the text the last one ends."""

    hashes: tuple[bytes | None, ...] = ()
    end: int | None = None  # -1: one of them is missing

    def holds(self, text: str | None) -> bool:
        """Is every chunk of a text there, if those that are there are its chunks?"""
        return self.end is None if text is None else self.end is not None and self.end >= len(text.rstrip())


NOTHING = Stored()


@dataclass(frozen=True, slots=True)
class Claim:
    """One key of a claimed change, with its row's text and what is there of its vectors, as one snapshot saw them."""

    change: ChangeId
    attempts: int
    key: str | None  # None: recheck the whole source
    enqueued_at: datetime
    stored_hash: bytes | None
    version: int  # 0: there is no vector row
    text: str | None  # None: there is no row with this key, or nothing to read in it
    cut: bool = False  # was its text beyond the model's limit, and cut there?
    stored: Stored = NOTHING


@dataclass(frozen=True, slots=True)
class Piece:
    """What one vector is made of: a text or a chunk of it, in characters; to encode, or found again in the row."""

    start: int
    end: int
    hash: bytes | None = None
    copied_from: int | None = None  # the chunk that it was
    text: str | None = None  # to be stored beside the vector
    vector_row: int | None = None  # the row of the matrix


@dataclass(frozen=True, slots=True)
class Result:
    """What to write for a key: the vectors of its pieces, nothing new (keep), or NULL."""

    claim: Claim
    text_hash: bytes | None = None
    pieces: tuple[Piece, ...] = ()
    keep: bool = False
    cut: bool = False

    @property
    def vector_row(self) -> int | None:
        """The row of the matrix, where the key has one vector."""
        return self.pieces[0].vector_row if self.pieces else None


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
    again_seconds: float | None = field(
        default=None, compare=False
    )  # column mode: when to look again, for a locked row


def _keys(results: Sequence[Result]) -> dict[str, object]:
    """The keys to be written, and what becomes of each."""
    return {
        "keys": [result.claim.key for result in results],
        "key_seqs": [result.claim.change.seq for result in results],
        "key_parts": [result.claim.change.part for result in results],
        "versions": [result.claim.version for result in results],
        "hashes": [result.text_hash for result in results],
        "keeps": [result.keep for result in results],
        "cuts": [result.cut for result in results],
        "were_cut": [result.claim.cut for result in results],
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
    """The keys to be written, and of each how many chunks; of each chunk whose it is, and what is known of it."""
    chunks = [(n, i, piece) for n, result in enumerate(results, 1) for i, piece in enumerate(result.pieces)]
    return {
        **_keys(results),
        "counts": [len(result.pieces) for result in results],
        "chunk_results": [n for n, _, _ in chunks],
        "chunks": [i for _, i, _ in chunks],
        "chunk_starts": [piece.start for _, _, piece in chunks],
        "chunk_ends": [piece.end for _, _, piece in chunks],
        "chunk_texts": [piece.text for _, _, piece in chunks],
        "chunk_hashes": [piece.hash for _, _, piece in chunks],
        "chunk_sources": [piece.copied_from for _, _, piece in chunks],
        "vector_rows": [None if piece.vector_row is None else piece.vector_row + 1 for _, _, piece in chunks],
        "vectors": VectorArray(matrix),
    }
