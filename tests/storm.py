"""Users who write all the time, daemons as processes, and the harm that is done to them; after it, nothing differs.

Each user keeps to his own range of keys, with `lock_timeout = 100ms`: users do not wait for each other, so a lock that
is waited for is one of ours, and a wait that is too long is an error of PostgreSQL's, not a reading of a busy clock.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from threading import Event, Lock, Thread

import psycopg

from rowvec.settings import Settings
from tests.checking import differences, wait

LEASE_SECONDS = 0.5
AWAY = 3  # the exit code of a daemon that found no server at its start, as the CLI's
KEYS = 60  # of each user: few, so that the same rows are hit again and again
# Killed at random, a daemon cannot be told from one that a text kills; real ones die more rarely.
SETTINGS: dict[str, object] = {"lease_seconds": LEASE_SECONDS, "poll_seconds": 0.2, "max_attempts": 40}


def daemon_main(url: str, settings: dict[str, object], batch_seconds: float, faults: bool = False) -> None:
    """A daemon's process: the fake encoder, slowed down so that a fault finds it at work, until SIGTERM."""
    from rowvec.daemon.daemon import Daemon
    from rowvec.errors import ServerUnreachable
    from tests.fakes import HashEncoder

    class SlowEncoder(HashEncoder):
        def encode(self, texts, *, prompt="", urgent=False, truncated=None):  # type: ignore[no-untyped-def]
            Event().wait(batch_seconds)
            return super().encode(texts, prompt=prompt, urgent=urgent, truncated=truncated)

    logging.disable(logging.CRITICAL)
    daemon = Daemon(url, Settings(**settings), lambda _model: SlowEncoder(faults=faults))  # type: ignore[arg-type]
    signal.signal(signal.SIGTERM, lambda *_: daemon.end())
    try:
        daemon.run()
    except ServerUnreachable:  # at the very start: that is for the service manager to survive
        sys.exit(AWAY)


class Nursery:
    """Daemon processes, forked from one that has imported everything: a new one takes milliseconds."""

    def __init__(
        self, url: str, settings: dict[str, object], *, batch_seconds: float = 0.0, faults: bool = False
    ) -> None:
        """`faults` arms the fault words of the fake encoder."""
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.storm", "rowvec.daemon.daemon", "tests.fakes"])
        self._arguments = (url, settings, batch_seconds, faults)
        self.alive: list[ForkServerProcess] = []

    def __enter__(self) -> Nursery:
        """Nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what lives."""
        for process in self.alive:
            process.kill()
            process.join(timeout=10)

    def spawn(self) -> ForkServerProcess:
        """Start a daemon."""
        process = self._context.Process(target=daemon_main, args=self._arguments, daemon=True)
        process.start()
        self.alive.append(process)
        return process

    def keep_alive_until(self, done: Callable[[], bool], daemons: int = 1, seconds: float = 60.0) -> int:
        """Do as a service manager does: start a daemon again whenever it dies. Return how many deaths it took."""
        end, deaths, processes = time.monotonic() + seconds, 0, [self.spawn() for _ in range(daemons)]
        while not done():
            assert time.monotonic() < end, f"{deaths} deaths, and not done"
            multiprocessing.connection.wait([process.sentinel for process in processes], timeout=0.1)
            for index, process in enumerate(processes):
                if process.exitcode is not None:
                    deaths += 1
                    processes[index] = self.spawn()
        return deaths


@dataclass
class Counts:
    """What was done, and what it did to the users."""

    statements: int = 0
    kills: int = 0
    freezes: int = 0
    terminated: int = 0
    restarts: int = 0
    crashes: int = 0
    away: int = 0  # daemons that found no server at their start, and were started again
    checks: int = 0
    rows: int = 0  # that were compared, over all checks
    slowest_ms: float = 0.0
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"statements={self.statements} kills={self.kills} freezes={self.freezes} terminated={self.terminated}"
            f" restarts={self.restarts} crashes={self.crashes} away={self.away} checks={self.checks} rows={self.rows}"
            f" slowest_statement_ms={self.slowest_ms:.0f} failed={len(self.failed)}"
        )


class Storm:
    """A watched table `docs (id, body, views)` under users, daemons and faults; to be used as a context."""

    def __init__(
        self,
        url: str,
        *,
        daemons: int = 3,
        users: int = 2,
        seed: int = 1,
        batch_seconds: float = 0.02,
        shape: str = "table",
    ) -> None:
        """Take a migrated database whose table is watched already."""
        self.url, self.counts = url, Counts()
        self._long = shape == "chunks"
        self._statements = _STATEMENTS + (_INTO_COLUMN if shape == "column" else [])
        self.choose = random.Random(seed)
        self._nursery = Nursery(url, SETTINGS, batch_seconds=batch_seconds)
        self.daemons = [self._nursery.spawn() for _ in range(daemons)]
        self.stop = Event()
        self._turns = [Lock() for _ in range(users + 1)]  # a user has his while a transaction of his is open
        self._threads = [Thread(target=self._write, args=(n, seed)) for n in range(users)]
        self._threads.append(Thread(target=self._hold, args=(users,)))

    def __enter__(self) -> Storm:
        """Let the users begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the users, then the daemons."""
        self.stop.set()
        for thread in self._threads:
            thread.join(timeout=60)
        self._nursery.__exit__()

    # Harm

    def kill(self) -> None:
        """SIGKILL a daemon and start another in its place."""
        index = self.choose.randrange(len(self.daemons))
        self.daemons[index].kill()
        self.daemons[index].join(timeout=10)
        self.daemons[index] = self._nursery.spawn()
        self.counts.kills += 1

    def freeze(self) -> Callable[[], None]:
        """SIGSTOP a daemon; return what lets it go on: a zombie, once its lease is over."""
        for process in self.choose.sample(self.daemons, len(self.daemons)):
            pid = process.pid or 0
            assert pid
            with suppress(ProcessLookupError):  # it found no server at its start, and ended
                os.kill(pid, signal.SIGSTOP)
                self.counts.freezes += 1
                break

        def thaw() -> None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        return thaw

    def terminate(self) -> None:
        """pg_terminate_backend for every connection of the daemons, whatever it is doing."""
        with psycopg.connect(self.url, autocommit=True) as admin:
            self.counts.terminated += admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'rowvec %' AND datname = current_database()"
            ).rowcount

    # Calm

    def check(self) -> None:
        """Let the users pause, wait until the daemons have caught up, and look for what differs."""
        with ExitStack() as pause:
            for turn in self._turns:
                pause.enter_context(turn)
            with psycopg.connect(self.url, autocommit=True) as connection:
                self._wait(connection)
                found = differences(connection, "docs")
                assert found == [], found
                dead = connection.execute("SELECT * FROM rowvec_internal.dead").fetchall()
                assert dead == [], dead
                rows = connection.execute("SELECT count(*) FROM docs").fetchone()
            self.counts.checks += 1
            self.counts.rows += rows[0] if rows else 0
        assert self.counts.failed == [], self.counts.failed

    def _wait(self, connection: psycopg.Connection, seconds: float = 60.0) -> None:
        """Wait until all is done; start again, as a service manager does, daemons that ended by themselves."""
        end = time.monotonic() + seconds
        while True:
            for index, process in enumerate(self.daemons):
                if process.exitcode is not None:
                    assert process.exitcode == AWAY, f"a daemon ended with {process.exitcode}"
                    self.counts.away += 1
                    self.daemons[index] = self._nursery.spawn()
            try:
                return wait(connection, "docs", "2 s")
            except psycopg.errors.QueryCanceled:
                if time.monotonic() > end:
                    raise

    # Users

    def _write(self, user: int, seed: int) -> None:
        choose, first = random.Random(f"{seed}/{user}"), user * 10_000
        while not self.stop.is_set():
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    connection.execute("SET lock_timeout = '100ms'")
                    while not self.stop.is_set():
                        with self._turns[user]:
                            self._statement(connection, choose, first)
                        self.stop.wait(0.001)
            except psycopg.OperationalError as error:  # the server is away; a lock time-out is one, too
                if isinstance(error, psycopg.errors.LockNotAvailable):
                    self.counts.failed.append(str(error))
                self.stop.wait(0.1)
            except psycopg.Error as error:
                self.counts.failed.append(f"{type(error).__name__}: {error}")

    def _statement(self, connection: psycopg.Connection, choose: random.Random, first: int) -> None:
        self.counts.statements += 1
        key = first + choose.randrange(KEYS)
        text = f"text {self.counts.statements} of {first}"
        if self._long:
            text = "\n\n".join(f"{text}, part {part} of those that it has" for part in range(choose.randrange(1, 9)))
        statement, values = choose.choice(self._statements)
        started = time.monotonic()
        connection.execute(statement, {"key": key, "last": key + choose.randrange(8), "text": text, **values})
        self.counts.slowest_ms = max(self.counts.slowest_ms, (time.monotonic() - started) * 1e3)

    def _hold(self, user: int) -> None:
        """A user whose transactions stay open for longer than a lease: his changes come late, with low numbers."""
        first = user * 10_000
        while not self.stop.is_set():
            with suppress(psycopg.OperationalError), self._turns[user], psycopg.connect(self.url) as connection:
                self._statement(connection, random.Random(self.counts.statements), first)
                self.stop.wait(1.5 * LEASE_SECONDS)
            self.stop.wait(0.01)


_STATEMENTS: list[tuple[bytes, dict[str, object]]] = [
    (
        b"INSERT INTO docs (id, body) VALUES (%(key)s, %(text)s) ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body",
        {},
    ),
    (
        b"INSERT INTO docs (id, body) SELECT g, %(text)s || g FROM generate_series(%(key)s::int, %(last)s::int) g"
        b" ON CONFLICT (id) DO NOTHING",
        {},
    ),
    (b"UPDATE docs SET body = %(text)s || id WHERE id BETWEEN %(key)s AND %(last)s", {}),
    (b"UPDATE docs SET body = NULL WHERE id = %(key)s", {}),
    (b"UPDATE docs SET views = views + 1 WHERE id = %(key)s", {}),
    (b"DELETE FROM docs WHERE id BETWEEN %(key)s AND %(last)s", {}),
    (
        b"UPDATE docs SET id = id + 1000 WHERE id = %(key)s"
        b" AND NOT EXISTS (SELECT FROM docs WHERE id = %(key)s + 1000)",
        {},
    ),
    (b"DELETE FROM docs WHERE id = %(key)s + 1000", {}),
]
# What an ORM does, that writes back every column as it once read it.
_INTO_COLUMN: list[tuple[bytes, dict[str, object]]] = [
    (b"UPDATE docs SET embedding = '[1,2,3,4,5,6,7,8]' WHERE id BETWEEN %(key)s AND %(last)s", {}),
    (b"UPDATE docs SET views = views + 1, body = body, embedding = NULL WHERE id = %(key)s", {}),
    (b"UPDATE docs SET body = %(text)s || id, embedding = (embedding::text)::vector WHERE id = %(key)s", {}),
]
