"""The threads: lanes, the wide thread, errors and the end. No torch here."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rowvec.encode.threads import EncoderThreads
from rowvec.errors import EncodingError


@pytest.fixture
def one() -> Iterator[EncoderThreads]:
    """Give one encoder thread."""
    threads = EncoderThreads(1, prepare=lambda _threads: None)
    yield threads
    threads.close()


class Gate:
    """A task that says when it runs and goes on when told."""

    def __init__(self) -> None:
        self.running, self.go = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.running.set()
        assert self.go.wait(30)


def test_urgent_work_waits_for_one_running_task_only(one: EncoderThreads) -> None:
    gate, order = Gate(), list[str]()
    backlog = one.start([gate, *(lambda n=n: order.append(f"backlog {n}") for n in range(5))])
    assert gate.running.wait(30)
    query = one.start([lambda: order.append("query")], urgent=True)
    gate.go.set()
    query.wait()
    backlog.wait()
    assert order == ["query", *(f"backlog {n}" for n in range(5))]


def test_a_backlog_runs_on_one_thread_each_and_a_lone_task_on_all() -> None:
    widths, mine = list[int](), threading.local()
    threads = EncoderThreads(3, prepare=lambda threads: setattr(mine, "width", threads))
    threads.start([lambda: widths.append(mine.width)]).wait()
    assert widths == [3]
    threads.start([lambda: widths.append(mine.width)] * 4).wait()
    assert widths == [3, 1, 1, 1, 1]
    threads.close()


def test_lone_tasks_keep_to_one_core_for_a_second_while_others_use_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        """Each task takes 10 ms, and as much CPU time as `share` of two cores."""

        now, share, used = 100.0, 1.0, 0.0
        monotonic = classmethod(lambda cls: cls.now)
        process_time = classmethod(lambda cls: cls.used)

        @classmethod
        def task(cls) -> None:
            """Take the time."""
            cls.now, cls.used = cls.now + 0.01, cls.used + 0.02 * cls.share
            widths.append(mine.width)

    widths, mine = list[int](), threading.local()
    monkeypatch.setattr("rowvec.encode.threads.time", Clock)
    threads = EncoderThreads(2, prepare=lambda threads: setattr(mine, "width", threads))

    def lone(times: int) -> list[int]:
        widths.clear()
        for _ in range(times):
            threads.start([Clock.task]).wait()
        return list(widths)

    assert lone(4) == [2, 2, 2, 2]
    Clock.share = 0.5
    assert lone(7) == [2] * 7
    Clock.share = 1.0
    assert lone(2) == [2, 2]  # it passed
    Clock.share = 0.5
    assert lone(10) == [2] * 8 + [1, 1]
    Clock.now += 1.0
    assert lone(4) == [2, 2, 1, 1]  # tried again, still disturbed
    Clock.now, Clock.share = Clock.now + 1.0, 1.0
    assert lone(3) == [2, 2, 2]
    threads.close()


def test_a_task_beside_running_work_is_not_spread_over_all_cores() -> None:
    widths, mine, gate = list[int](), threading.local(), Gate()
    threads = EncoderThreads(2, prepare=lambda threads: setattr(mine, "width", threads))
    first = threads.start([gate])
    assert gate.running.wait(30)
    threads.start([lambda: widths.append(mine.width)], urgent=True).wait()
    gate.go.set()
    first.wait()
    threads.close()
    assert widths == [1]


def test_the_first_error_is_raised_and_the_rest_of_the_call_is_skipped(one: EncoderThreads) -> None:
    ran = list[int]()

    def fail() -> None:
        raise ValueError("first")

    job = one.start([fail, lambda: ran.append(1)])
    with pytest.raises(ValueError, match="first"):
        job.wait()
    assert ran == []
    one.start([lambda: ran.append(2)]).wait()  # the next call is not harmed
    assert ran == [2]


def test_close_fails_what_is_queued_and_finishes_what_runs() -> None:
    threads, gate = EncoderThreads(1, prepare=lambda _threads: None), Gate()
    running = threads.start([gate])
    assert gate.running.wait(30)
    queued = threads.start([lambda: None])
    closer = threading.Thread(target=threads.close)
    closer.start()
    with pytest.raises(EncodingError, match="closed"):
        queued.wait()
    gate.go.set()
    running.wait()
    closer.join(30)
    assert not closer.is_alive()
    with pytest.raises(EncodingError, match="closed"):
        threads.start([lambda: None])


def test_a_call_without_tasks_is_over_at_once(one: EncoderThreads) -> None:
    one.start([]).wait()
