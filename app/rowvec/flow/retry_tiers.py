"""Which changes may be claimed together, by how often they were tried: a text that kills must be found alone; pure."""

from __future__ import annotations

from dataclasses import dataclass

KEYS_PER_CHANGE = 512  # what a bulk statement's trigger and a backfill put into one change
UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class RetryTier:
    """Changes that were tried so often before (half-open), and how many of their keys one claim may take."""

    attempts: tuple[int, int]
    keys: int


def retry_tiers(max_attempts: int) -> tuple[RetryTier, ...]:
    """Return a tier of what was never tried, then those of what a dead process held: the fewer tries left, the smaller.

    The claim charges every key in it with a try, so a text that kills the process also charges the keys beside it.
    Therefore the last try is of one key, the one before it of 8, then 64: with five tries 512, 512, 64, 8, 1. A text
    that kills uses up its tries and is buried alone; every other key meets its last try alone, and is written. This
    holds for any number of daemons, because each follows it by itself. Claims of 512 keys do thousands a second,
    claims of one some 100; so only the last tries are slow.
    """
    tries = deadly_tries(max_attempts)
    last = [RetryTier((tries - left - 1, tries - left), 8**left) for left in range(min(3, tries - 1))]
    first = [RetryTier((1, tries - 3), KEYS_PER_CHANGE)] if tries > 4 else []
    return (RetryTier((0, 1), UNLIMITED), *first, *reversed(last))


def deadly_tries(max_attempts: int) -> int:
    """How many deaths of a process bury a key: two at least, since a neighbour may have caused the first."""
    return max(2, max_attempts)
