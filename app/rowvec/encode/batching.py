"""Plan micro-batches: texts sorted by length, as many as a budget of padded tokens allows, lengths rounded. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Texts that go through the model together: their positions in the list, and the length that all are padded to."""

    rows: tuple[int, ...]
    length: int


def round_length(length: int, *, limit: int) -> int:
    """Round a padded length up, so that there are few distinct shapes, but not over the model's `limit`.

    Each new shape costs oneDNN 2 ms to compile a kernel, and an entry of its cache. Steps grow with the length: less
    than 12 % is added from 16 tokens on.
    """
    step = 2 if length <= 32 else 4 if length <= 64 else 8 if length <= 128 else 16
    return min(-(-length // step) * step, max(limit, length))


def share(tokens: int, *, threads: int, max_batch_tokens: int) -> int:
    """Return the padded tokens of a micro-batch for a call of so many: below the limit if that keeps all threads busy.

    Seven equal batches on two threads leave one idle for an eighth of the time, so a call is split into about six
    batches a thread. Below 256 tokens a batch's own overhead shows: 8 % at 256, 25 % at 128 (all-MiniLM-L6-v2, fp32).
    """
    return max(min(tokens // (6 * threads), max_batch_tokens), min(256, max_batch_tokens))


def plan(lengths: Sequence[int], *, max_batch_tokens: int, max_tokens: int) -> list[MicroBatch]:
    """Divide texts of these token lengths into micro-batches, the longest first.

    Every text is in exactly one batch. A batch's rows x length stays within `max_batch_tokens`, unless one text alone
    is longer. With the longest first, a batch that does not fit into memory fails at once, and all threads end
    together, on short batches.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    batches: list[MicroBatch] = []
    rows: list[int] = []
    length = 0
    for row in order:
        if rows and (len(rows) + 1) * length > max_batch_tokens:
            batches.append(MicroBatch(tuple(rows), length))
            rows = []
        if not rows:
            length = round_length(max(1, lengths[row]), limit=max_tokens)
        rows.append(row)
    if rows:
        batches.append(MicroBatch(tuple(rows), length))
    return batches


def distinct(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the texts without repeats, and for each given text the position of its only copy."""
    positions: dict[str, int] = {}
    where = [positions.setdefault(text, len(positions)) for text in texts]
    return list(positions), where


def pad(
    ids: Sequence[NDArray[np.int32]], batch: MicroBatch, *, pad_id: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return input ids and attention mask of one batch, int64 of shape (rows, length), padded on the right."""
    tokens = np.full((len(batch.rows), batch.length), pad_id, dtype=np.int64)
    mask = np.zeros((len(batch.rows), batch.length), dtype=np.int64)
    for line, row in enumerate(batch.rows):
        tokens[line, : len(ids[row])] = ids[row]
        mask[line, : len(ids[row])] = 1
    return tokens, mask
