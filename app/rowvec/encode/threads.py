"""The encoder threads: they run micro-batches, urgent ones first; a lone one gets all cores, else each has one core.

A *narrow* thread runs its kernels on one core: two narrow threads do more than one thread on two cores, since no core
waits at the end of each small kernel. The *wide* thread runs its kernels on all cores; it gets a call of a single
micro-batch that comes when nothing else runs. torch releases the GIL in a forward, so the threads share one copy of
the weights.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from rowvec.errors import EncodingError

Task = Callable[[], None]

# On cores that others use, a lone text is slower on all of them than on one: 14 ms against 6, since each small kernel
# waits for its slowest thread. Undisturbed, the kernels use 0.93 of the CPU time that they could have had; with one of
# two cores taken, 0.5. After eight disturbed tasks in a row (the first run of a shape compiles kernels on one core),
# lone texts run on one core for a second; from then on, after each two.
_UNDISTURBED = 0.7
_DISTURBED_FIRST, _DISTURBED_AGAIN = 8, 2
_BUSY_SECONDS = 1.0


class Job:
    """The micro-batches of one call; `wait` returns when all have run."""

    def __init__(self, tasks: int) -> None:
        """Expect this many tasks to finish."""
        self._left = tasks
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()
        if tasks == 0:
            self._done.set()

    @property
    def failed(self) -> bool:
        """True once a task has raised: the tasks still queued are then skipped."""
        return self._error is not None

    def finish(self, error: BaseException | None = None) -> None:
        """Count one task as over; the first error is the one that `wait` raises."""
        with self._lock:
            self._left -= 1
            if self._error is None:
                self._error = error
            if self._left == 0:
                self._done.set()

    def wait(self) -> None:
        """Block until every task is over; raise the first error."""
        self._done.wait()
        if self._error is not None:
            raise self._error


Lane = deque[tuple[Job, Task]]


class EncoderThreads:
    """A fixed set of threads and two lanes, urgent and backlog; within a lane, tasks run in the order of arrival."""

    def __init__(self, threads: int, *, prepare: Callable[[int], None]) -> None:
        """Start `threads` narrow threads, and the wide one if that is more than one.

        `prepare(n)` runs first in each thread: it sets the number of cores for the thread's kernels, 1 or `threads`.
        """
        self.threads = threads
        self._prepare = prepare
        self._urgent, self._backlog, self._lone = Lane(), Lane(), Lane()
        self._running = 0
        self._closed = False
        self._lock = threading.Lock()
        self._narrow_wake = threading.Condition(self._lock)
        self._wide_wake = threading.Condition(self._lock)
        self.wide = threads > 1  # False: a lone task runs on one core, too
        self.watched = True  # False: a lone task gets all cores, though others may be using them
        self._disturbed = 0  # lone tasks in a row whose kernels did not get their cores
        self._busy_until = 0.0  # time.monotonic
        self._all = [
            threading.Thread(target=self._narrow, name=f"rowvec-encode-{n}", daemon=True) for n in range(threads)
        ]
        if self.wide:
            self._all.append(threading.Thread(target=self._wide, name="rowvec-encode-wide", daemon=True))
        for thread in self._all:
            thread.start()

    def start(self, tasks: Sequence[Task], *, urgent: bool = False) -> Job:
        """Queue the tasks of one call and return at once; EncodingError after `close`."""
        job = Job(len(tasks))
        with self._lock:
            if self._closed:
                raise EncodingError("the encoder is closed")
            idle = not (self._running or self._urgent or self._backlog or self._lone)
            if self.wide and idle and len(tasks) == 1 and time.monotonic() >= self._busy_until:
                self._lone.append((job, tasks[0]))
                self._wide_wake.notify()
            else:
                lane = self._urgent if urgent else self._backlog
                lane.extend((job, task) for task in tasks)
                self._narrow_wake.notify(len(tasks))
        return job

    def close(self) -> None:
        """Let running tasks finish, fail the queued ones, and end the threads."""
        with self._lock:
            self._closed = True
            dropped = [*self._urgent, *self._backlog, *self._lone]
            self._narrow_wake.notify_all()
            self._wide_wake.notify_all()
        for job, _ in dropped:
            job.finish(EncodingError("the encoder was closed before this text's turn"))
        for thread in self._all:
            if thread is not threading.current_thread():
                thread.join()

    def _narrow(self) -> None:
        self._prepare(1)
        while item := self._next(self._narrow_wake, self._urgent, self._backlog):
            self._run(*item)

    def _wide(self) -> None:
        self._prepare(self.threads)
        while item := self._next(self._wide_wake, self._lone):
            job, task = item
            self._run(job, lambda task=task: self._watch(task))  # type: ignore[misc]

    def _next(self, wake: threading.Condition, *lanes: Lane) -> tuple[Job, Task] | None:
        """Wait for the first task of the first lane that has one; None once the encoder is closed."""
        with self._lock:
            wake.wait_for(lambda: self._closed or any(lanes))
            if self._closed:
                return None
            self._running += 1
            return next(lane for lane in lanes if lane).popleft()

    def _run(self, job: Job, task: Task) -> None:
        error: BaseException | None = None
        try:
            if not job.failed:
                task()
        except BaseException as raised:  # handed to the thread that waits for the job
            error = raised
        with self._lock:
            self._running -= 1
        job.finish(error)

    def _watch(self, task: Task) -> None:
        """Run a lone task, and see whether its kernels got the cores."""
        since, used = time.monotonic(), time.process_time()
        task()
        now = time.monotonic()
        disturbed = time.process_time() - used < _UNDISTURBED * self.threads * (now - since)
        self._disturbed = self._disturbed + 1 if disturbed else 0
        if self.watched and self._disturbed >= _DISTURBED_FIRST:
            self._busy_until, self._disturbed = now + _BUSY_SECONDS, _DISTURBED_FIRST - _DISTURBED_AGAIN
