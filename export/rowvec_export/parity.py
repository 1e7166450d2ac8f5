"""Gates on numbers: the traced chain against its reference, and a text against itself in other batches."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rowvec.errors import ExportRefused
from rowvec_export.reference import Reference

MAX_ABS = 1e-5  # fp32 against the reference
MAX_BATCH_ABS = 1e-6  # the same text in other batches
ROWS = 200
# Batch sizes, and the longest row in each: a batch costs its size times its longest row, so that 32 rows of which one
# has 256 tokens would take nine tenths of the gate's time.
BATCHES = ((2, 512), (7, 64), (32, 32))
SAMPLE = 96  # rows that are mixed; all are run alone
# Rows beyond this are run alone only: a text of 8,192 tokens costs a 560M model a minute on two cores.
MIXED = 512
LONGEST = 8192
Forward = Callable[[Tensor, Tensor], Tensor]
Rows = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Parity:
    """What was measured, on vectors scaled to length 1 where they are longer.

    Worst absolute difference and cosine against the reference, the most that a text's vector moves with its batch
    (and by how much the reference's own moves), how many texts, and the longest in tokens.
    """

    max_abs: float
    min_cos: float
    batch_invariance: float
    texts: int
    longest: int
    reference: str
    reference_batch_invariance: float


@dataclass(frozen=True, slots=True)
class Expected:
    """The reference's answers, taken before the trace, so that one copy of the weights is in memory."""

    name: str
    rows: list[list[int]]
    alone: Tensor
    by_texts: Tensor
    own_movement: float


def pad(rows: Rows, pad_id: int, *, left: bool = False, extra: int = 0) -> tuple[Tensor, Tensor]:
    """Ids to int64[B,L] ids and mask; `extra` columns of padding more than needed; L is at least 1."""
    width = max(1, *(len(row) for row in rows)) + extra
    ids = torch.full((len(rows), width), pad_id)
    mask = torch.zeros_like(ids)
    for index, row in enumerate(rows):
        where = slice(width - len(row), width) if left else slice(0, len(row))
        ids[index, where] = torch.tensor(list(row), dtype=torch.int64)
        mask[index, where] = 1
    return ids, mask


def run(forward: Forward, rows: Rows, pad_id: int, batch: int, *, left: bool = False) -> Tensor:
    """Vectors float32[N,D] of id rows, `batch` at a time in the order given."""
    with torch.inference_mode():
        starts = range(0, len(rows), batch)
        return torch.cat([forward(*pad(rows[start : start + batch], pad_id, left=left)) for start in starts])


def id_rows(base: Rows, max_tokens: int) -> list[list[int]]:
    """At least 200 rows of ids of every length from 1 to the limit, cut and joined from real texts' ids."""
    pool = [list(row) for row in base if row]
    chooser = random.Random(7)

    def of(length: int) -> list[int]:
        joined: list[int] = []
        while len(joined) < length:
            joined += chooser.choice(pool)
        start = chooser.randrange(len(joined) - length + 1)
        return joined[start : start + length]

    limit = min(max_tokens, LONGEST)
    lengths = [*range(1, 13)] * 4 + [16, 24, 32, 48, 64] * 4 + [96, 128] * 2 + [192, 256, 384]
    lengths += [limit // 2, limit - 1, limit] if limit <= MIXED else [511, 512, 1024, 4096, limit]
    # Long texts are compared as texts; here they would only cost time.
    rows = [row[:limit] for row in pool if len(row) <= 128] + [of(length) for length in lengths if 1 <= length <= limit]
    while len(rows) < ROWS:
        rows.append(of(chooser.randrange(1, min(13, limit + 1))))
    return rows


def ask(
    reference: Reference, rows: list[list[int]], behind: Sequence[tuple[str, str]], pad_id: int, left: bool
) -> Expected:
    """Take the reference's vectors: each row alone, texts behind their prompts, and how much its own batches move.

    `behind` holds (prompt, text); `left` asks in batches padded on the left, where the model's own tokenizer does so.
    """
    alone = run(reference.by_ids, rows, pad_id, 1)
    short = [index for index, row in enumerate(rows) if len(row) <= BATCHES[-1][1]]
    mixed = run(reference.by_ids, [rows[index] for index in short], pad_id, BATCHES[-1][0], left=left)
    moved = differences(mixed, alone[short])[0]
    parts = [
        reference.by_texts([text for own, text in behind if own == prompt], prompt)
        for prompt in dict.fromkeys(prompt for prompt, _ in behind)
    ]
    return Expected(reference.name, rows, alone, torch.cat(parts), moved)


def check(forward: Forward, expected: Expected, text_ids: Rows, pad_id: int, max_tokens: int) -> Parity:
    """Compare; raise ExportRefused, with the number, where a bound is passed.

    `text_ids` are the ids of the texts behind `expected.by_texts`, by the tokenizer that goes into the artefact.
    """
    rows = expected.rows
    alone = run(forward, rows, pad_id, 1)
    by_texts = run(forward, text_ids, pad_id, 1)
    if not (torch.isfinite(alone).all() and torch.isfinite(by_texts).all()):
        raise ExportRefused("The model gives vectors that are not finite.")
    found = [differences(alone, expected.alone), differences(by_texts, expected.by_texts)]
    max_abs, min_cos = max(worst for worst, _ in found), min(cosine for _, cosine in found)
    if not max_abs <= MAX_ABS:
        raise ExportRefused(
            f"The vectors differ from those of {expected.name} by {max_abs:.1e} (at most {MAX_ABS:.0e} is allowed; "
            f"by ids {found[0][0]:.1e}, by texts {found[1][0]:.1e}); nothing was written."
        )
    moved = movement(forward, rows, pad_id, alone, min(MIXED, max_tokens))
    if not moved <= max(MAX_BATCH_ABS, 2 * expected.own_movement):
        raise ExportRefused(
            f"A text's vector changes with its batch by {moved:.1e}; {MAX_BATCH_ABS:.0e} is allowed, and "
            f"{expected.name} itself moves by {expected.own_movement:.1e}. Nothing was written."
        )
    texts = len(rows) + len(text_ids)
    longest = max(len(row) for row in rows)
    return Parity(max_abs, min_cos, moved, texts, longest, expected.name, expected.own_movement)


def movement(forward: Forward, rows: Rows, pad_id: int, alone: Tensor, widest: int) -> float:
    """The most that a vector moves: in mixed batches, among rows of its own length, with padding up to `widest`."""
    fitting = [index for index, row in enumerate(rows) if len(row) <= widest]
    short = random.Random(11).sample(fitting, min(SAMPLE, len(fitting)))
    worst = 0.0
    for batch, longest in BATCHES:
        mixed = [index for index in short if len(rows[index]) <= longest]
        worst = max(worst, differences(run(forward, [rows[index] for index in mixed], pad_id, batch), alone[mixed])[0])
    by_length: dict[int, list[int]] = {}
    for index in short:
        by_length.setdefault(len(rows[index]), []).append(index)
    with torch.inference_mode():
        for same in by_length.values():
            if len(same) > 1:  # all ones in the mask: where shortcuts around the mask go wrong
                worst = max(worst, differences(forward(*pad([rows[i] for i in same], pad_id)), alone[same])[0])
        for index in short[::16]:
            for extra in {min(more, widest - len(rows[index])) for more in (1, 9, 150)}:  # 150: beyond windows of 128
                got = forward(*pad([rows[index]], pad_id, extra=extra))
                worst = max(worst, differences(got, alone[index : index + 1])[0])
    return worst


def differences(one: Tensor, other: Tensor) -> tuple[float, float]:
    """Worst absolute difference and worst cosine of two float32[N,D]; vectors longer than 1 are scaled to length 1."""
    if not len(one):
        return 0.0, 1.0
    length = other.norm(dim=-1, keepdim=True).clamp(min=1.0)
    worst = ((one - other) / length).abs().max().item()
    both_zero = (one.norm(dim=-1) == 0) & (other.norm(dim=-1) == 0)
    cosine = nn.functional.cosine_similarity(one.double(), other.double(), dim=-1).masked_fill(both_zero, 1.0)
    return worst, cosine.min().item()
