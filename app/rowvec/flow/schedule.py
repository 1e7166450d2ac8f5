"""What the pipeline remembers of a source: where its lanes are, how fast it goes, until when it is left alone."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field

from rowvec.flow.change_log import Care, Lane
from rowvec.flow.plan import Work

_BATCH_SECONDS = 2.0  # how long a claim should keep the model busy: enough for full micro-batches, short for live rows
_LONG_TEXTS = 64  # of texts that are cut into chunks a claim takes no more: a text may be a megabyte


@dataclass(slots=True)
class Course:
    """One source's. The pipeline's threads share it without a lock: an estimate that is a batch old does no harm."""

    # The last seq that was claimed: what is before it is looked at by the sweep only.
    floors: defaultdict[tuple[Lane, Care], int] = field(default_factory=lambda: defaultdict(int))
    active: set[tuple[Lane, Care]] = field(default_factory=set)  # where the last claim found something
    vectors_per_second: float = 0.0
    vectors_per_text: float = 0.0  # 1 where texts are not cut into chunks; 0: not known
    keys_per_change: float = 1.0
    paused_until: float = 0.0
    pause_seconds: float = 0.0

    def begin(self, lane: Lane, care: Care) -> None:
        """There is something to be claimed, perhaps before the floor."""
        self.floors[lane, care] = 0
        self.active.add((lane, care))

    def texts(self, most: int, *, chunks: bool) -> int:
        """How many texts a claim should take: long ones, of which each is many vectors, one by one if need be."""
        if chunks:
            most = min(most, _LONG_TEXTS)
        if not self.vectors_per_second or not self.vectors_per_text:
            return min(most, 4 if chunks else 64)
        vectors = max(16.0, self.vectors_per_second * _BATCH_SECONDS)
        return int(min(most, max(1.0, vectors / self.vectors_per_text)))

    def changes(self, texts: int) -> int:
        """How many changes to look at for them: each is locked, and one may hold hundreds of keys."""
        return 1 + int(2 * texts / self.keys_per_change)

    def observe(self, work: Work, encoded: int, seconds: float) -> None:
        """Remember how fast it went, by vectors: those that were copied tell only how long the texts are."""
        if encoded:
            self.vectors_per_second = _smooth(self.vectors_per_second, encoded / max(seconds, 1e-6))
        self.vectors_per_text = _smooth(self.vectors_per_text, work.vectors / len(work.texts))

    def pause(self) -> float:
        """Leave the source alone for a while, each time for longer; return for how many seconds."""
        self.pause_seconds = min(60.0, max(1.0, self.pause_seconds * 2))
        self.paused_until = time.monotonic() + self.pause_seconds
        return self.pause_seconds


def _smooth(so_far: float, now: float) -> float:
    return 0.7 * so_far + 0.3 * now if so_far else now
