"""The threads that run micro-batches: urgent ones first, a lone one on all cores, a backlog on one core each.

Every worker runs its kernels on one thread: two workers with one thread each do more than one worker with two, since no
core waits at the end of each small kernel. Only work that comes alone, when nothing else runs, is worth splitting: it
goes to the wide worker. torch releases the GIL in a forward, so the workers share one copy of the weights.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from rowvec.errors import EncodingError

Task = Callable[[], None]

# On cores that others use, a lone text is slower on all of them than on one: 14 ms against 6 (each small kernel ends by
# waiting for its slowest thread). Undisturbed, the threads' CPU time is 0.93 of what they could have had; with one of
# two cores taken, 0.5. After eight such turns in a row (the first run of a shape compiles kernels, on one thread), lone
# texts run on one thread for a second, and then again after each two such turns.
_UNDISTURBED = 0.7
_TURNS, _TURNS_AGAIN = 8, 2
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


class Workers:
    """A fixed set of threads with two lanes. Within a lane, tasks run in the order in which they came."""

    def __init__(self, threads: int, *, prepare: Callable[[int], None]) -> None:
        """Start `threads` narrow workers, and a wide one if that is more than one.

        `prepare(n)` runs first in each thread: it sets the threads that the thread's kernels may use, 1 or all.
        """
        self.threads = threads
        self._prepare = prepare
        self._urgent: deque[tuple[Job, Task]] = deque()
        self._backlog: deque[tuple[Job, Task]] = deque()
        self._lone: deque[tuple[Job, Task]] = deque()
        self._running = 0
        self._closed = False
        self._lock = threading.Lock()
        self._narrow_wake = threading.Condition(self._lock)
        self._wide_wake = threading.Condition(self._lock)
        self.wide = threads > 1  # may be set to False: then a lone task runs on one thread too
        self.watched = True  # may be set to False: then a lone task gets all threads on a busy machine, too
        self._disturbed = 0  # lone tasks in a row whose threads did not get their cores
        self._busy_until = 0.0  # time.monotonic
        self._all = [
            threading.Thread(target=self._narrow, name=f"rowvec-encode-{n}", daemon=True) for n in range(threads)
        ]
        if self.wide:
            self._all.append(
                threading.Thread(target=self._wide, args=(threads,), name="rowvec-encode-wide", daemon=True)
            )
        for thread in self._all:
            thread.start()

    def start(self, tasks: Sequence[Task], *, urgent: bool = False) -> Job:
        """Queue the tasks of one call and return at once; EncodingError after `close`."""
        job = Job(len(tasks))
        with self._lock:
            if self._closed:
                raise EncodingError("the encoder is closed")
            waiting = len(self._urgent) + len(self._backlog) + len(self._lone)
            alone = len(tasks) == 1 and self._running + waiting == 0
            if self.wide and alone and time.monotonic() >= self._busy_until:
                self._lone.append((job, tasks[0]))
                self._wide_wake.notify()
                return job
            lane = self._urgent if urgent else self._backlog
            lane.extend((job, task) for task in tasks)
            self._narrow_wake.notify(len(tasks))
        return job

    def close(self) -> None:
        """Let running tasks finish, fail the queued ones, and end the threads."""
        with self._lock:
            self._closed = True
            dropped = [*self._urgent, *self._backlog, *self._lone]
            for lane in (self._urgent, self._backlog, self._lone):
                lane.clear()
            self._narrow_wake.notify_all()
            self._wide_wake.notify_all()
        for job, _ in dropped:
            job.finish(EncodingError("the encoder was closed before this text's turn"))
        for thread in self._all:
            if thread is not threading.current_thread():
                thread.join()

    def _narrow(self) -> None:
        self._prepare(1)
        while True:
            with self._lock:
                while not (self._urgent or self._backlog or self._closed):
                    self._narrow_wake.wait()
                if self._closed:
                    return
                job, task = (self._urgent or self._backlog).popleft()
                self._running += 1
            self._run(job, task)

    def _wide(self, threads: int) -> None:
        self._prepare(threads)
        while True:
            with self._lock:
                while not (self._lone or self._closed):
                    self._wide_wake.wait()
                if self._closed:
                    return
                job, task = self._lone.popleft()
                self._running += 1
            self._run(job, lambda task=task: self._watch(task, threads))  # type: ignore[misc]

    def _watch(self, task: Task, threads: int) -> None:
        """Run a lone task, and see whether its threads got the cores."""
        since, used = time.monotonic(), time.process_time()
        task()
        now = time.monotonic()
        disturbed = time.process_time() - used < _UNDISTURBED * threads * (now - since)
        self._disturbed = self._disturbed + 1 if disturbed else 0
        if self.watched and self._disturbed >= _TURNS:
            self._busy_until, self._disturbed = now + _BUSY_SECONDS, _TURNS - _TURNS_AGAIN

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
