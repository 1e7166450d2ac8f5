"""Gates on numbers: the traced chain against sentence-transformers, and a text against itself in other batches."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from app.errors import ExportRefused

MAX_ABS = 1e-5  # fp32 against the reference
MAX_BATCH_ABS = 1e-6  # the same text in other company
Forward = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Parity:
    """What was measured: worst absolute difference, worst cosine, worst change by company, on how many texts."""

    max_abs: float
    min_cos: float
    batch_invariance: float
    texts: int
    reference: str

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def pad(rows: Sequence[Sequence[int]], pad_id: int, *, left: bool = False, extra: int = 0) -> tuple[Tensor, Tensor]:
    """Ids to int64[B,L] ids and mask; `extra` columns of padding more than needed."""
    width = max(len(row) for row in rows) + extra
    ids = torch.full((len(rows), width), pad_id)
    mask = torch.zeros_like(ids)
    for index, row in enumerate(rows):
        where = slice(width - len(row), width) if left else slice(0, len(row))
        ids[index, where] = torch.tensor(row)
        mask[index, where] = 1
    return ids, mask


def run(forward: Forward, rows: Sequence[Sequence[int]], pad_id: int, batch: int, *, left: bool = False) -> Tensor:
    """Vectors float32[N,D] of id rows, `batch` at a time in the order given."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(rows), batch):
            parts.append(forward(*pad(rows[start : start + batch], pad_id, left=left)))
    return torch.cat(parts)


def id_rows(base: Sequence[Sequence[int]], max_tokens: int, *, longest: int = 512) -> list[list[int]]:
    """Rows of every kind of length from real texts' ids: those rows, their cuts, and joins up to the limit."""
    pool = [list(row) for row in base if row]
    chooser = random.Random(7)
    rows = [row[:max_tokens] for row in pool]
    limit = min(max_tokens, longest)
    lengths = sorted({1, 2, 3, 5, 8, 16, 31, 64, 127, limit - 1, limit} & set(range(1, limit + 1)))
    for length in lengths:
        joined: list[int] = []
        while len(joined) < length:
            joined += chooser.choice(pool)
        rows.append(joined[:length])
    return rows


def differences(one: Tensor, other: Tensor) -> tuple[float, float]:
    """Worst absolute difference and worst cosine of two float32[N,D]."""
    worst = (one - other).abs().max().item()
    cosine = nn.functional.cosine_similarity(one.double(), other.double(), dim=-1).min().item()
    return worst, cosine


def invariance(forward: Forward, rows: Sequence[Sequence[int]], pad_id: int, expected: Tensor) -> float:
    """How much a text's vector moves with its company: alone, with more padding, among equals, in mixed batches."""
    worst = 0.0
    with torch.inference_mode():
        for batch in (2, 7, 32):
            worst = max(worst, differences(run(forward, rows, pad_id, batch), expected)[0])
        for index in range(0, len(rows), 5):
            row = rows[index]
            equal = forward(*pad([row] * 4, pad_id))
            padded = forward(*pad([row], pad_id, extra=9))
            for got in (equal, padded):
                worst = max(worst, (got - expected[index]).abs().max().item())
    return worst


def check(
    forward: Forward,
    reference: Callable[[Sequence[Sequence[int]]], Tensor],
    rows: Sequence[Sequence[int]],
    pad_id: int,
    name: str,
) -> Parity:
    """Compare on `rows`; raise ExportRefused where a bound is passed."""
    alone = run(forward, rows, pad_id, 1)
    expected = reference(rows)
    if not torch.isfinite(alone).all():
        raise ExportRefused("The model gives vectors that are not finite.")
    max_abs, min_cos = differences(alone, expected)
    moved = invariance(forward, rows, pad_id, alone)
    if not max_abs <= MAX_ABS:
        raise ExportRefused(
            f"The vectors differ from {name} by {max_abs:.1e}, more than {MAX_ABS:.0e}; nothing was written."
        )
    if not moved <= MAX_BATCH_ABS:
        raise ExportRefused(f"A text's vector changes with its batch by {moved:.1e}, more than {MAX_BATCH_ABS:.0e}.")
    return Parity(max_abs, min_cos, moved, len(rows), name)
