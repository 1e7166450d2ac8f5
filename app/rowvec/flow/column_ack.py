"""An ack in column mode, cut into statements of a few rows: whoever waits for one of them waits milliseconds; pure.

A row takes 0.05 ms without an index on the vector and milliseconds with HNSW, cold ones more: no fixed number is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

TARGET_SECONDS = 0.003
MOST_ROWS = 64  # a statement costs a round trip and its planning, of which more rows save little

C = TypeVar("C", bound=Hashable)  # a change
K = TypeVar("K")  # a key to be written, with all that belongs to it


class Pace:
    """The number of rows for the next statement, by how long the last ones held their locks."""

    def __init__(self) -> None:
        """Begin carefully: 16 rows."""
        self.rows = 16

    def observe(self, rows: int, seconds: float) -> None:
        """Take in that a statement of so many rows took so long: less at once when it was slow, more by and by."""
        if seconds > TARGET_SECONDS:
            self.rows = max(1, min(self.rows, int(rows * TARGET_SECONDS / seconds)))
        elif rows >= self.rows:
            fit = int(rows * TARGET_SECONDS / max(seconds, 1e-6))
            self.rows = max(self.rows, min(MOST_ROWS, fit, self.rows + self.rows // 4 + 1))

    def shrink(self, rows: int) -> None:
        """Take half of what was refused."""
        self.rows = max(1, min(self.rows, rows // 2))


@dataclass(frozen=True, slots=True)
class Part(Generic[C, K]):
    """One statement: the keys that it writes, and the changes that it must still own."""

    keys: tuple[K, ...]
    changes: tuple[C, ...]
    ends: tuple[bool, ...]  # of each change: is nothing of it left for later?
    left: tuple[tuple[C, K, bool], ...]  # what earlier parts could not write of the changes that end; was it locked?


class Parts(Generic[C, K]):
    """What an ack has still to write. A change ends in the part with its last key, superseded ones in the last part."""

    def __init__(self, changes: Sequence[C], keys: Iterable[tuple[C, K]]) -> None:
        """Take the changes of a claim, and of each key that is to be written the change that it came with."""
        order = {change: place for place, change in enumerate(changes)}
        self._todo = sorted(keys, key=lambda item: order[item[0]])
        self._rest = Counter(change for change, _ in self._todo)
        self._superseded = [change for change in changes if change not in self._rest]
        self._left: list[tuple[C, K, bool]] = []

    def __bool__(self) -> bool:
        """Is there more?"""
        return bool(self._todo or self._superseded)

    def take(self, rows: int) -> Part[C, K]:
        """The next statement, of so many rows at most."""
        taken = self._todo[:rows]
        counts = Counter(change for change, _ in taken)
        changes = [*counts, *(self._superseded if len(taken) == len(self._todo) else ())]
        ends = tuple(counts[change] == self._rest[change] for change in changes)
        ending = {change for change, end in zip(changes, ends, strict=True) if end}
        left = tuple(item for item in self._left if item[0] in ending)
        return Part(tuple(key for _, key in taken), tuple(changes), ends, left)

    def leave(self, part: Part[C, K], locked: bool) -> Part[C, K]:
        """A part that writes none of its keys: they are left."""
        taken = self._todo[: len(part.keys)]
        ending = {change for change, end in zip(part.changes, part.ends, strict=True) if end}
        self._left += [(change, key, locked) for change, key in taken]
        left = tuple(item for item in self._left if item[0] in ending)
        return Part((), part.changes, part.ends, left)

    def done(self, rows: int, left: Iterable[tuple[C, K, bool]]) -> None:
        """So many rows are through; these of them could not be written, and their changes go on."""
        self._left += left
        self._rest.subtract(change for change, _ in self._todo[:rows])
        del self._todo[:rows]
        if not self._todo:
            self._superseded = []
