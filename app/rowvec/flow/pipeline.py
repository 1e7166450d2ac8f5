"""Claim, encode, write, overlapped: the claim of batch N+1 and the write of N-1 run while N is encoded.

Three threads, joined by queues of one batch each, which give overlap and back-pressure at once. torch releases the GIL
while it computes, and no transaction is ever open while the model runs. A lone change has nothing to overlap with: the
thread that claims it encodes and writes it, too.
"""

from __future__ import annotations

import logging
import queue
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from threading import Condition, Event, Thread

from rowvec.daemon.metrics import Stats
from rowvec.database.connection import Link
from rowvec.database.sources import Source
from rowvec.encode.encoder import Encoder
from rowvec.errors import EncodingError, RowvecError, ServerUnreachable
from rowvec.flow.change_log import Care, Lane, Queue, cares
from rowvec.flow.column_ack import Pace
from rowvec.flow.doorbell import Doorbell
from rowvec.flow.embed import Embedded, embed
from rowvec.flow.plan import Work, plan
from rowvec.flow.records import Claim
from rowvec.flow.schedule import Course
from rowvec.settings import Settings

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 5.0  # how often a busy lane is read from its beginning: expired leases, retries, late commits
_BACKFILL_TURN = 8  # one round in so many takes the backfill first, so that a busy live lane cannot starve it
_FEW_SOURCES = 8  # so many are looked at one by one at a ring, 0.5 ms each; more by one statement, from the beginning
_LONE_TEXTS = 8  # a claim of fewer, behind which nothing waits, goes through one thread: see _dispatch
_STOP_SECONDS = 5.0


class Pipeline:
    """The three threads of a daemon."""

    def __init__(
        self,
        url: str,
        settings: Settings,
        *,
        worker: Callable[[], int],
        sources: Callable[[], list[Source]],
        encoder_of: Callable[[Source], Encoder | None],
        doorbell: Doorbell,
        stop: Event,
        on_idle: Callable[[], None] = lambda: None,
        on_recheck: Callable[[], None] = lambda: None,
    ) -> None:
        """`sources` and `encoder_of` are asked in every round.

        `on_idle` is called when nothing is left, `on_recheck` when a backfill has been asked for.
        """
        self._url, self._settings = url, settings
        self._worker, self._sources, self._encoder_of = worker, sources, encoder_of
        self._doorbell, self._stop = doorbell, stop
        self._on_idle, self._on_recheck = on_idle, on_recheck
        self.stats = Stats()
        self.fatal: Exception | None = None
        self._to_encode: queue.Queue[Work | None] = queue.Queue(maxsize=1)
        self._to_write: queue.Queue[Embedded | None] = queue.Queue(maxsize=1)
        self._courses: dict[int, Course] = defaultdict(Course)
        self._cares = cares(settings.max_attempts)
        self._in_flight: dict[int, tuple[Work, float]] = {}
        self._settled = Condition()
        loops = (self._claim_loop, self._encode_loop, self._write_loop)
        self._threads = [Thread(target=self._guarded, args=(loop,), name=loop.__name__, daemon=True) for loop in loops]
        self._suspects: set[int] = set()
        self._round = 0
        self._idle = False
        self._swept_at = 0.0
        self._sweep_at = float("inf")  # a sweep that was put off
        self._again_at = float("inf")  # column mode: when a row of a user's that was locked is to be tried again
        self._paces: dict[int, Pace] = defaultdict(Pace)
        self._sweep_seconds = 0.0

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> bool:
        """Wait until what is in the pipe is written, `timeout` seconds at most; return whether it is."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def in_flight(self) -> list[tuple[Work, float]]:
        """What is claimed and not yet written, with the monotonic time of its claim."""
        with self._settled:
            return list(self._in_flight.values())

    def take_suspects(self) -> set[int]:
        """The ids of sources that failed since the last call: something in the system catalogue may have changed."""
        suspects, self._suspects = self._suspects, set()
        return suspects

    def unpause(self, source_ids: set[int]) -> None:
        """Try sources again at once: they have changed."""
        for id_ in source_ids:
            self._courses[id_].paused_until = 0.0

    def _guarded(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Exception as error:  # a fault of ours: better to stop and be restarted than to live on half
            log.exception("thread %s died", loop.__name__)
            self.fatal = error
            self._stop.set()

    # Claim

    def _claim_loop(self) -> None:
        link = Link(self._url, "rowvec claim", self._stop, lookups=True)
        armed = rang = False
        finds = 0  # rounds in a row that found something
        while not self._stop.is_set():
            try:
                self._doorbell.clear()
                log_ = self._queue(link)
                if self._claim_round(log_):
                    finds += 1
                    # Not for a lone change, which rang and is written already: who commits now rings, too. What did
                    # not ring says that we are not as armed as we think, after a long freeze: we arm anew.
                    if armed and (finds > 1 or not rang or self.in_flight()):
                        log_.arm(False)
                        armed = False
                    continue
                finds = 0
                if not armed and not self._doorbell.deaf:
                    log_.arm(True)  # and look once more: what was logged before did not ring
                    armed = True
                    self._doorbell.begin_ladder()
                else:
                    if not self.in_flight():
                        self._on_idle()
                    rang = self._doorbell.wait(min(self._again_at, self._sweep_at) - time.monotonic())
            except ServerUnreachable as error:
                armed = False
                link.lost(error)
            except RowvecError as error:
                log.error("claim: %s", error)
                self._stop.wait(1.0)
        if armed:
            with suppress(RowvecError):
                self._queue(link).arm(False)
        link.close()
        self._to_encode.put(None)

    def _queue(self, link: Link) -> Queue:
        settings = self._settings
        return Queue(
            link.get(),
            self._worker(),
            lease_seconds=settings.lease_seconds,
            max_attempts=settings.max_attempts,
            paces=self._paces,
        )

    def _claim_round(self, log_: Queue) -> bool:
        """Claim once from each source that has work; return whether any had."""
        self._round += 1
        now = time.monotonic()
        sources = {
            source.id: source
            for source in self._sources()
            if source.state == "active" and self._courses[source.id].paused_until <= now and self._encoder_of(source)
        }
        since, share, few = now - self._swept_at, 20 * self._sweep_seconds, len(sources) <= _FEW_SOURCES
        again, rung, busy = now >= self._again_at, self._idle and few, False
        self._sweep_at = float("inf")
        if (rung or since < max(_SWEEP_SECONDS, share)) and not again:
            busy = self._claim_each(log_, sources, look=rung)
        if not busy:
            if again or not few or since >= share:  # when woken often, a twentieth of the time at most
                busy = self._sweep(log_, sources)
            else:  # what committed late with a low number is not left for a poll
                self._sweep_at = self._swept_at + share
        self._idle = not busy
        return busy

    def _sweep(self, log_: Queue, sources: dict[int, Source]) -> bool:
        """Look at every lane from its beginning, and claim what is there."""
        started = time.monotonic()
        if started >= self._again_at:
            self._again_at = float("inf")
        due = log_.due(list(sources))
        self._sweep_seconds, self._swept_at = time.monotonic() - started, started
        for id_, lane, untried, tried in due:
            for care in self._cares:
                if tried if care.attempts[0] else untried:
                    self._courses[id_].begin(lane, care)
        return self._claim_each(log_, sources)

    def _claim_each(self, log_: Queue, sources: dict[int, Source], *, look: bool = False) -> bool:
        """Claim once wherever the last claim found something; return whether this one did.

        `look`: also in every live lane, from its floor, since what rang was most likely logged there.
        """
        untried, *tried = self._cares
        lanes = (Lane.BACKFILL, Lane.LIVE) if self._round % _BACKFILL_TURN == 0 else (Lane.LIVE, Lane.BACKFILL)
        filling = any((Lane.BACKFILL, untried) in self._courses[id_].active for id_ in sources)
        busy = False
        for source in sources.values():
            active = self._courses[source.id].active
            where = active | {(Lane.LIVE, untried)} if filling or look else active  # live rows overtake every backfill
            busy |= any(self._claim(log_, source, lane, untried) for lane in lanes if (lane, untried) in where)
        for source in sources.values():  # then what may kill us, alone in the pipe, so that nothing else is charged
            for lane, care in product(lanes, tried):
                if (lane, care) in self._courses[source.id].active and not self._stop.is_set():
                    self._drain()
                    busy |= self._claim(log_, source, lane, care)
                    self._drain()
        return busy

    def _claim(self, log_: Queue, source: Source, lane: Lane, care: Care) -> bool:
        course = self._courses[source.id]
        texts = course.texts(self._settings.batch_texts, chunks=source.chunk_limit is not None)
        try:
            floor, changes = course.floors[lane, care], course.changes(texts)
            claims = log_.claim_with(care, source, lane, texts=texts, changes=changes, floor=floor)
            if not claims:
                course.active.discard((lane, care))
                return False
            course.keys_per_change = len(claims) / len({claim.change for claim in claims})
            course.active.add((lane, care))
            course.floors[lane, care] = claims[-1].change.seq
            return self._dispatch(log_, source, lane, claims, lone=len(claims) < min(texts, _LONE_TEXTS))
        except ServerUnreachable:
            raise
        except RowvecError as error:
            self._pause(source, error)
            return False

    def _dispatch(self, log_: Queue, source: Source, lane: Lane, claims: list[Claim], *, lone: bool) -> bool:
        """Send a claim into the pipe; a lone one, behind which nothing waits, is encoded and written at once.

        That saves two changes of threads, and what else the claiming thread does comes after the write, not beside it:
        4 statements and 3.7 ms of CPU for a lone row, daemon and server together, instead of 11 and 7.1.
        """
        encoder = self._encoder_of(source)
        assert encoder is not None  # encoders are never unloaded
        try:
            work = plan(source, lane, claims, encoder.measure)
        except EncodingError as error:
            log_.give_back(source, lane, list({claim.change: None for claim in claims}), error)
            raise
        if work.recheck:
            log_.begin_recheck(source, lane, work.recheck)
            log.info("recheck source=%s", source.name)
            self._on_recheck()
        if not work.changes:
            return True
        with self._settled:
            lone = lone and not self._in_flight
            self._in_flight[id(work)] = (work, time.monotonic())
        if not lone:
            self._to_encode.put(work)
            return True
        embedded = self._embed(work)
        try:
            self._write(log_, embedded)
        except ServerUnreachable:
            self._to_write.put(embedded)  # there it is tried until it succeeds
            raise
        self._settle(work)
        return True

    def _drain(self) -> None:
        """Wait until everything that is in the pipe is written; the writer tells."""
        with self._settled:
            while self._in_flight and not self._stop.is_set():
                self._settled.wait(timeout=0.5)

    def _pause(self, source: Source, error: RowvecError) -> None:
        """Leave a source alone for a while, twice as long each time: a bad one never stalls the others."""
        seconds = self._courses[source.id].pause()
        self._suspects.add(source.id)
        log.error("source=%s paused_s=%g %s%s", source.name, seconds, error, f" ({error.hint})" if error.hint else "")

    # Encode

    def _encode_loop(self) -> None:
        while (work := self._to_encode.get()) is not None:
            self._to_write.put(self._embed(work))
        self._to_write.put(None)

    def _embed(self, work: Work) -> Embedded:
        encoder = self._encoder_of(work.source)
        assert encoder is not None  # encoders are never unloaded
        started = time.monotonic()
        embedded = embed(work, encoder)
        seconds = time.monotonic() - started
        if work.texts:
            self._courses[work.source.id].observe(work, len(embedded.matrix), seconds)
        self.stats.texts += len(work.texts)
        self.stats.encode_seconds += seconds
        if embedded.fault:
            self._pause(work.source, embedded.fault)
        return embedded

    # Write

    def _write_loop(self) -> None:
        link = Link(self._url, "rowvec write", Event(), lookups=True)
        while (embedded := self._to_write.get()) is not None:
            self._write_surely(link, embedded)
            self._settle(embedded.work)
        link.close()

    def _settle(self, work: Work) -> None:
        with self._settled:
            self._in_flight.pop(id(work), None)
            self._settled.notify_all()

    def _write_surely(self, link: Link, embedded: Embedded) -> None:
        """Write a batch; through losses of the server, again and again: the fence makes a second ack harmless."""
        give_up_at = float("inf")
        while True:
            try:
                return self._write(self._queue(link), embedded)
            except ServerUnreachable as error:
                if self._stop.is_set():  # a graceful stop waits a little for the server, then leaves it to the lease
                    give_up_at = min(give_up_at, time.monotonic() + _STOP_SECONDS)
                if time.monotonic() > give_up_at:
                    return None
                link.lost(error)

    def _write(self, log_: Queue, embedded: Embedded) -> None:
        """Write a batch, or give it back; ServerUnreachable is the caller's."""
        work = embedded.work
        try:
            if embedded.fault:
                return log_.give_back(work.source, work.lane, work.changes, embedded.fault)
            acked = log_.ack(
                work.source, work.lane, work.changes, embedded.results, embedded.matrix, unfinished=embedded.unfinished
            )
            log_.fail(work.source, work.lane, embedded.failures)
        except ServerUnreachable:
            raise
        except RowvecError as error:  # disk full, a lock, a vector table that is gone: no text is to blame
            self._pause(work.source, error)
            with suppress(RowvecError):
                log_.give_back(work.source, work.lane, work.changes, error)
            return None
        if acked.again_seconds is not None:
            self._again_at = min(self._again_at, time.monotonic() + acked.again_seconds)
            self._doorbell.ring()
        self._courses[work.source.id].pause_seconds = 0.0
        self.stats.keys += acked.keys
        self.stats.races += acked.released
        self.stats.failed += len(embedded.failures)
        oldest = min((text.claim.enqueued_at.timestamp() for text in work.texts), default=time.time())
        log.info(
            "batch source=%s lane=%s keys=%d texts=%d failed=%d races=%d lag_s=%.3f",
            work.source.name,
            work.lane.name.lower(),
            acked.keys,
            len(work.texts),
            len(embedded.failures),
            acked.released,
            max(0.0, time.time() - oldest),
        )
