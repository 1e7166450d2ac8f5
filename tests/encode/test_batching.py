"""Micro-batches: every text once, within the budget, longest first, few shapes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rowvec.encode.batching import MicroBatch, distinct, pad, plan, round_length, share

LIMIT = 256
lengths_of_texts = st.lists(st.integers(1, LIMIT), max_size=200)


@given(lengths_of_texts, st.integers(64, 4096))
def test_every_text_is_in_exactly_one_batch_that_is_long_enough(lengths: list[int], budget: int) -> None:
    batches = plan(lengths, max_batch_tokens=budget, max_tokens=LIMIT)
    assert sorted(row for batch in batches for row in batch.rows) == list(range(len(lengths)))
    assert all(max(lengths[row] for row in batch.rows) <= batch.length <= LIMIT for batch in batches)


@given(lengths_of_texts, st.integers(64, 4096))
def test_no_batch_exceeds_the_budget_unless_one_text_does(lengths: list[int], budget: int) -> None:
    for batch in plan(lengths, max_batch_tokens=budget, max_tokens=LIMIT):
        assert len(batch.rows) * batch.length <= budget or len(batch.rows) == 1


@given(lengths_of_texts)
def test_the_longest_come_first(lengths: list[int]) -> None:
    planned = [lengths[row] for batch in plan(lengths, max_batch_tokens=512, max_tokens=LIMIT) for row in batch.rows]
    assert planned == sorted(lengths, reverse=True)


def test_sorting_keeps_padding_low() -> None:
    """Texts of 10 to 256 tokens in random order: arrival order in batches of 32 would pad by about 80 %."""
    lengths = np.random.default_rng(0).lognormal(4.0, 0.8, 2000).clip(10, LIMIT).astype(int).tolist()
    padded = sum(len(batch.rows) * batch.length for batch in plan(lengths, max_batch_tokens=1024, max_tokens=LIMIT))
    assert padded <= 1.10 * sum(lengths)


@given(st.integers(1, 8192), st.integers(1, 8192))
def test_a_rounded_length_holds_the_text_and_respects_the_model(length: int, limit: int) -> None:
    rounded = round_length(length, limit=limit)
    assert length <= rounded <= max(length, limit)
    assert round_length(rounded, limit=limit) == rounded


def test_rounding_leaves_few_shapes_and_adds_little() -> None:
    assert len({round_length(length, limit=512) for length in range(1, 513)}) <= 60
    assert max(round_length(length, limit=512) / length for length in range(16, 513)) < 1.12


@given(st.integers(0, 10**6), st.integers(1, 64), st.integers(64, 4096))
def test_a_call_s_budget_stays_within_the_limit(tokens: int, threads: int, most: int) -> None:
    assert min(256, most) <= share(tokens, threads=threads, max_batch_tokens=most) <= most


def test_a_small_call_is_spread_over_the_threads() -> None:
    lengths = [13] * 500
    budget = share(sum(lengths), threads=4, max_batch_tokens=4096)
    assert len(plan(lengths, max_batch_tokens=budget, max_tokens=256)) >= 16


def test_repeated_texts_are_kept_once() -> None:
    assert distinct(["b", "a", "b", "c", "a"]) == (["b", "a", "c"], [0, 1, 0, 2, 1])


def test_padding_is_on_the_right() -> None:
    ids = [np.array([7, 8], np.int32), np.array([9], np.int32), np.array([5, 6, 4], np.int32)]
    tokens, mask = pad(ids, MicroBatch((2, 1), 4), pad_id=1)
    assert tokens.tolist() == [[5, 6, 4, 1], [9, 1, 1, 1]]
    assert mask.tolist() == [[1, 1, 1, 0], [1, 0, 0, 0]]
    assert tokens.dtype == mask.dtype == np.int64
