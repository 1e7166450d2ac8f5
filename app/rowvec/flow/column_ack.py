"""An ack in column mode: statements of a few rows each, so that a user waits for one of them for milliseconds only.

A row takes 0.05 ms without an index on the vector and milliseconds with HNSW, more when the index is not cached. So the
number of rows is not fixed: it follows the time that the last statements held their locks.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from psycopg import errors

from rowvec.errors import DatabaseError
from rowvec.flow.records import Acked, ChangeId, Result

TARGET_SECONDS = 0.003
MOST_ROWS = 64  # a statement costs a round trip and its planning, of which more rows save little
# What a user's trigger may run into, or a row that moved to another partition meanwhile: no text is to blame.
_TRANSIENT = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
_MOST_REFUSALS = 12  # in one ack: after that its changes go back to the log, for a second

C = TypeVar("C", bound=Hashable)  # a change
K = TypeVar("K")  # a key to be written, with all that belongs to it


class Pace:
    """The number of rows for the next statement, by how long the last ones held their locks."""

    def __init__(self) -> None:
        self.rows = 16

    def observe(self, rows: int, seconds: float) -> None:
        """Take in that a statement of so many rows took so long: fewer at once when it was slow, more step by step."""
        if seconds > TARGET_SECONDS:
            self.rows = max(1, min(self.rows, int(rows * TARGET_SECONDS / seconds)))
        elif rows >= self.rows:
            fit = int(rows * TARGET_SECONDS / max(seconds, 1e-6))
            self.rows = max(self.rows, min(MOST_ROWS, fit, self.rows + self.rows // 4 + 1))

    def shrink(self, rows: int) -> None:
        """Take half of what was refused."""
        self.rows = max(1, min(self.rows, rows // 2))


@dataclass(frozen=True, slots=True)
class RowBatch(Generic[C, K]):
    """One statement: the keys that it writes, and the changes that it must still own."""

    keys: tuple[K, ...]
    changes: tuple[C, ...]
    ends: tuple[bool, ...]  # of each change: is this its last batch?
    left: tuple[tuple[C, K, bool], ...]  # earlier keys of the ending changes that were not written: was the row locked?


class RowBatches(Generic[C, K]):
    """What an ack has still to write. A change ends with the batch of its last key; one without keys in the last."""

    def __init__(self, changes: Sequence[C], keys: Iterable[tuple[C, K]]) -> None:
        """Take the changes of a claim, and each key to be written with the change that it came with."""
        order = {change: place for place, change in enumerate(changes)}
        self._todo = sorted(keys, key=lambda item: order[item[0]])
        self._rest = Counter(change for change, _ in self._todo)
        self._superseded = [change for change in changes if change not in self._rest]
        self._left: list[tuple[C, K, bool]] = []

    def __bool__(self) -> bool:
        return bool(self._todo or self._superseded)

    def take(self, rows: int) -> RowBatch[C, K]:
        """Return the next statement, of so many rows at most."""
        taken = self._todo[:rows]
        counts = Counter(change for change, _ in taken)
        changes = (*counts, *(self._superseded if len(taken) == len(self._todo) else ()))
        ends = tuple(counts[change] == self._rest[change] for change in changes)
        return RowBatch(tuple(key for _, key in taken), changes, ends, self._left_of(changes, ends))

    def leave(self, batch: RowBatch[C, K], locked: bool) -> RowBatch[C, K]:
        """Return the same batch without its keys: they are left unwritten."""
        self._left += [(change, key, locked) for change, key in self._todo[: len(batch.keys)]]
        return RowBatch((), batch.changes, batch.ends, self._left_of(batch.changes, batch.ends))

    def done(self, rows: int, left: Iterable[tuple[C, K, bool]]) -> None:
        """Take so many rows off; `left` are those of them that were not written though their change goes on."""
        self._left += left
        self._rest.subtract(change for change, _ in self._todo[:rows])
        del self._todo[:rows]
        if not self._todo:
            self._superseded = []

    def _left_of(self, changes: Sequence[C], ends: Sequence[bool]) -> tuple[tuple[C, K, bool], ...]:
        ending = {change for change, end in zip(changes, ends, strict=True) if end}
        return tuple(item for item in self._left if item[0] in ending)


@dataclass(frozen=True, slots=True)
class BatchAck:
    """A row of ack_column.sql."""

    changes: int  # finished
    keys: int  # written or kept
    released: int  # changes that went back to the log
    lost: list[str]  # keys of changes that go on: overtaken by a newer claim
    busy: list[str]  # and those whose row was locked
    slipped: bool  # was a change's lease renewed at this very moment, so that it was not finished?
    again_seconds: float | None  # when to try the locked rows again
    seconds: float  # how long the locks were held


def ack_in_batches(
    changes: Sequence[ChangeId],
    results: Sequence[Result],
    pace: Pace,
    write: Callable[[RowBatch[ChangeId, Result]], BatchAck],
    give_back: Callable[[Sequence[ChangeId]], None],
) -> Acked:
    """Write batch after batch; a batch that a user's lock refuses is halved, and at one row left for later."""
    batches = RowBatches(changes, [(result.claim.change, result) for result in results])
    total, refusals = Acked(0, 0, 0), 0
    while batches:
        batch, started = batches.take(pace.rows), time.monotonic()
        rows = len(batch.keys)
        try:
            acked = write(batch)
        except DatabaseError as error:
            refusals += 1
            table_is_locked = time.monotonic() - started > 1.0  # within the statement nothing waits that long
            if table_is_locked or refusals > _MOST_REFUSALS or not isinstance(error.__cause__, _TRANSIENT):
                raise
            pace.shrink(rows)
            if rows > 1:
                continue
            acked = write(batches.leave(batch, True))
        if acked.slipped:
            give_back(batch.changes)  # to be done again, which is harmless
        pace.observe(rows, acked.seconds)
        left = {**dict.fromkeys(acked.lost, False), **dict.fromkeys(acked.busy, True)}
        batches.done(rows, [(r.claim.change, r, left[r.claim.key]) for r in batch.keys if r.claim.key in left])
        again = min((s for s in (total.again_seconds, acked.again_seconds) if s is not None), default=None)
        total = Acked(
            total.changes + acked.changes,
            total.keys + acked.keys,
            total.released + acked.released,
            again_seconds=again,
        )
    return total
