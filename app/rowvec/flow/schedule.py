"""What a pipeline remembers of a source: where its lanes are, how fast it goes, until when it is paused."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from rowvec.database.sources import Source
from rowvec.errors import RowvecError
from rowvec.flow.column_ack import Pace
from rowvec.flow.plan import Work
from rowvec.flow.records import Claim, Lane
from rowvec.flow.retry_tiers import RetryTier

log = logging.getLogger(__name__)

_BATCH_SECONDS = 2.0  # how long a claim should keep the model busy: enough for full micro-batches, short for live rows
_LONG_TEXTS = 64  # of texts that are split into chunks a claim takes no more: a text may be a megabyte
_LONGEST_PAUSE_SECONDS = 60.0


@dataclass(slots=True)
class SourceSchedule:
    """One source's. The pipeline's threads share it without a lock: an estimate that is a batch old does no harm."""

    # The last seq that was claimed: what comes before it is left to the sweep.
    floors: defaultdict[tuple[Lane, RetryTier], int] = field(default_factory=lambda: defaultdict(int))
    active: set[tuple[Lane, RetryTier]] = field(default_factory=set)  # where the last claim found something
    vectors_per_second: float = 0.0
    vectors_per_text: float = 0.0  # 1 where texts are not split into chunks; 0: not known
    keys_per_change: float = 1.0
    paused_until: float = 0.0  # monotonic time
    pause_seconds: float = 0.0
    pace: Pace = field(default_factory=Pace)  # column mode: how many of the user's rows a statement may write

    def begin(self, lane: Lane, tier: RetryTier) -> None:
        """There is something to be claimed, perhaps before the floor."""
        self.floors[lane, tier] = 0
        self.active.add((lane, tier))

    def claimed(self, lane: Lane, tier: RetryTier, claims: list[Claim]) -> None:
        """Remember where a claim ended, or that there was nothing."""
        if not claims:
            self.active.discard((lane, tier))
            return
        self.keys_per_change = len(claims) / len({claim.change for claim in claims})
        self.active.add((lane, tier))
        self.floors[lane, tier] = claims[-1].change.seq

    def texts(self, most: int, *, chunks: bool) -> int:
        """How many texts a claim should take: about 2 s of encoding; long texts, of which each is many vectors, few."""
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
        """Take in how long so many vectors took; copied vectors only tell how many chunks a text has."""
        if encoded:
            self.vectors_per_second = _smooth(self.vectors_per_second, encoded / max(seconds, 1e-6))
        self.vectors_per_text = _smooth(self.vectors_per_text, work.vectors / len(work.texts))


class Schedule:
    """Every source's, by id, and the sources that failed since the daemon last asked."""

    def __init__(self) -> None:
        self._sources: defaultdict[int, SourceSchedule] = defaultdict(SourceSchedule)
        self._suspects: set[int] = set()
        self.again_at = float("inf")  # column mode: the monotonic time at which locked rows are to be tried again

    def __getitem__(self, source_id: int) -> SourceSchedule:
        return self._sources[source_id]

    def pause(self, source: Source, error: RowvecError) -> None:
        """Leave a source alone for 1 s, each time twice as long up to 60 s, so that it does not stall others."""
        one = self._sources[source.id]
        one.pause_seconds = min(_LONGEST_PAUSE_SECONDS, max(1.0, one.pause_seconds * 2))
        one.paused_until = time.monotonic() + one.pause_seconds
        self._suspects.add(source.id)
        log.error("source=%s paused_s=%g %s", source.name, one.pause_seconds, error.with_hint)

    def unpause(self, source_ids: Iterable[int]) -> None:
        """Try sources again at once: they have changed."""
        for id_ in source_ids:
            self._sources[id_].paused_until = 0.0

    def take_suspects(self) -> set[int]:
        """Return the ids of sources that were paused since the last call: their tables may have changed."""
        suspects, self._suspects = self._suspects, set()
        return suspects


def _smooth(so_far: float, now: float) -> float:
    return 0.7 * so_far + 0.3 * now if so_far else now
