"""An ack in batches: every key in one batch, every change ended once, after its last key; the pace follows the time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rowvec.flow.column_ack import MOST_ROWS, TARGET_SECONDS, Pace, RowBatches


@given(
    keys=st.lists(st.integers(0, 5), max_size=40),
    rows=st.lists(st.integers(1, 9), min_size=50, max_size=50),
    left=st.sets(st.integers(0, 39)),
)
def test_every_key_and_every_change_once(keys: list[int], rows: list[int], left: set[int]) -> None:
    """`keys[i]` is the change of key i; changes 6 and 7 have none: they were superseded."""
    batches = RowBatches(range(8), [(change, key) for key, change in enumerate(keys)])
    written: list[int] = []
    ended: dict[int, set[int]] = {}
    for most in rows:
        if not batches:
            break
        batch = batches.take(most)
        assert len(batch.keys) <= most
        if any(key in left for key in batch.keys) and len(batch.keys) == 1:  # refused: the statement goes without it
            batch = batches.leave(batch, True)
            taken, missed = 1, set()
        else:
            taken, missed = len(batch.keys), left & set(batch.keys)
        written += [key for key in batch.keys if key not in left]
        for change, end in zip(batch.changes, batch.ends, strict=True):
            if end:
                assert change not in ended
                now = {key for key in missed if keys[key] == change}
                ended[change] = now | {key for other, key, _ in batch.left if other == change}
        batches.done(taken, [(keys[key], key, True) for key in missed])
    assert not batches
    assert sorted(written) == [key for key in range(len(keys)) if key not in left]
    assert set(ended) == set(range(8))
    for change, keys_left in ended.items():
        assert keys_left == {key for key in left if key < len(keys) and keys[key] == change}


def test_the_pace_is_about_three_milliseconds() -> None:
    def settle(seconds_a_row: float) -> int:
        pace = Pace()
        for _ in range(20):
            pace.observe(pace.rows, pace.rows * seconds_a_row)
        return pace.rows

    assert settle(1e-5) == MOST_ROWS
    assert settle(1e-4) in range(20, 31)
    assert settle(1e-3) in (2, 3)
    assert settle(1e-2) == 1
    pace = Pace()
    pace.observe(3, TARGET_SECONDS / 1000)  # a few rows tell nothing of many
    assert pace.rows == 16
