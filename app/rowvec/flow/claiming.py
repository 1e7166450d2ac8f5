"""The claiming thread: rounds over the sources, the sweep for what a round cannot see, and arming the doorbell.

A round claims from each lane that had something last time, from its floor on. A sweep looks at every lane from its
beginning: it finds expired leases, retries, and changes that committed late with a low number.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import product

from rowvec.database.connection import Link
from rowvec.database.sources import Source
from rowvec.errors import EncodingError, RowvecError, ServerUnreachable
from rowvec.flow.change_log import ChangeLog
from rowvec.flow.encoding import encode
from rowvec.flow.plan import plan
from rowvec.flow.records import Claim, Lane
from rowvec.flow.retry_tiers import RetryTier, retry_tiers
from rowvec.flow.shared import Shared
from rowvec.flow.writing import write

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 5.0  # how often a busy daemon sweeps
_BACKFILL_TURN = 8  # one round in so many takes the backfill first, so that a busy live lane cannot starve it
_FEW_SOURCES = 8  # at a ring so many are looked at one by one, 0.5 ms each; more by a sweep, which is one statement
_LONE_TEXTS = 8  # a claim of fewer, behind which nothing waits, goes through one thread: see _dispatch


class Claiming:
    """What the claiming thread does and remembers."""

    def __init__(self, shared: Shared, *, on_idle: Callable[[], None], on_recheck: Callable[[], None]) -> None:
        self._shared, self._schedule, self._in_flight = shared, shared.schedule, shared.in_flight
        self._on_idle, self._on_recheck = on_idle, on_recheck
        self._tiers = retry_tiers(shared.settings.max_attempts)
        self._round = 0
        self._idle = False
        self._swept_at = 0.0
        self._sweep_at = float("inf")  # when a sweep that was put off is due
        self.sweep_seconds = 0.0  # how long the last sweep took

    def loop(self) -> None:
        """Claim until `stop` is set; then disarm, and tell the encoding thread to end."""
        shared, doorbell = self._shared, self._shared.doorbell
        link = Link(shared.url, "rowvec claim", shared.stop, lookups=True)
        armed = rang = False
        finds = 0  # rounds in a row that found something
        while not shared.stop.is_set():
            try:
                doorbell.clear()
                change_log = shared.change_log(link.get())
                if self._claim_round(change_log):
                    finds += 1
                    # A lone change that rang is written already, and the next commit rings too: stay armed. A change
                    # that did not ring shows that we are not armed any more, as after a long freeze: arm anew.
                    if armed and (finds > 1 or not rang or self._in_flight):
                        change_log.arm(False)
                        armed = False
                    continue
                finds = 0
                if not armed and not doorbell.deaf:
                    change_log.arm(True)  # and look once more: what was logged before did not ring
                    armed = True
                    doorbell.begin_ladder()
                else:
                    if not self._in_flight:
                        self._on_idle()
                    rang = doorbell.wait(min(self._schedule.again_at, self._sweep_at) - time.monotonic())
            except ServerUnreachable as error:
                armed = False
                link.lost(error)
            except RowvecError as error:
                log.error("claim: %s", error)
                shared.stop.wait(1.0)
        if armed:
            with suppress(RowvecError):
                shared.change_log(link.get()).arm(False)
        link.close()
        shared.to_encode.put(None)

    def _claim_round(self, change_log: ChangeLog) -> bool:
        """Claim once from each source that has work; return whether any had."""
        self._round += 1
        now, encoder_of = time.monotonic(), self._shared.encoder_of
        sources = [
            source
            for source in self._shared.sources()
            if source.state == "active" and self._schedule[source.id].paused_until <= now and encoder_of(source)
        ]
        # Sweeps may take a twentieth of the time when rings come often.
        since, share, few = now - self._swept_at, 20 * self.sweep_seconds, len(sources) <= _FEW_SOURCES
        again, rung, busy = now >= self._schedule.again_at, self._idle and few, False
        self._sweep_at = float("inf")
        if (rung or since < max(_SWEEP_SECONDS, share)) and not again:
            busy = self._claim_each(change_log, sources, look=rung)
        if not busy:
            if again or not few or since >= share:
                busy = self._sweep(change_log, sources)
            else:  # a change that committed late with a low number does not wait for a poll
                self._sweep_at = self._swept_at + share
        self._idle = not busy
        return busy

    def _sweep(self, change_log: ChangeLog, sources: list[Source]) -> bool:
        """Look at every lane from its beginning, and claim what is there."""
        started = time.monotonic()
        if started >= self._schedule.again_at:
            self._schedule.again_at = float("inf")
        due = change_log.due([source.id for source in sources])
        self.sweep_seconds, self._swept_at = time.monotonic() - started, started
        for id_, lane, untried, tried in due:
            for tier in self._tiers:
                if tried if tier.attempts[0] else untried:
                    self._schedule[id_].begin(lane, tier)
        return self._claim_each(change_log, sources)

    def _claim_each(self, change_log: ChangeLog, sources: list[Source], *, look: bool = False) -> bool:
        """Claim once wherever the last claim found something; return whether this one did.

        `look`: also in every live lane, from its floor, since what rang was most likely logged there.
        """
        untried, *tried = self._tiers
        lanes = (Lane.BACKFILL, Lane.LIVE) if self._round % _BACKFILL_TURN == 0 else (Lane.LIVE, Lane.BACKFILL)
        filling = any((Lane.BACKFILL, untried) in self._schedule[source.id].active for source in sources)
        busy = False
        for source in sources:
            active = self._schedule[source.id].active
            where = active | {(Lane.LIVE, untried)} if filling or look else active  # live rows overtake every backfill
            busy |= any(self._claim(change_log, source, lane, untried) for lane in lanes if (lane, untried) in where)
        for source in sources:  # then what may kill us, alone in flight, so that no other claim is charged with a try
            for lane, tier in product(lanes, tried):
                if (lane, tier) in self._schedule[source.id].active and not self._shared.stop.is_set():
                    self._in_flight.drain(self._shared.stop)
                    busy |= self._claim(change_log, source, lane, tier)
                    self._in_flight.drain(self._shared.stop)
        return busy

    def _claim(self, change_log: ChangeLog, source: Source, lane: Lane, tier: RetryTier) -> bool:
        schedule = self._schedule[source.id]
        texts = schedule.texts(self._shared.settings.batch_texts, chunks=source.chunk_limit is not None)
        try:
            floor, changes = schedule.floors[lane, tier], schedule.changes(texts)
            claims = change_log.claim_tier(tier, source, lane, texts=texts, changes=changes, floor=floor)
            schedule.claimed(lane, tier, claims)
            if claims:
                self._dispatch(change_log, source, lane, claims, lone=len(claims) < min(texts, _LONE_TEXTS))
            return bool(claims)
        except ServerUnreachable:
            raise
        except RowvecError as error:
            self._schedule.pause(source, error)
            return False

    def _dispatch(self, change_log: ChangeLog, source: Source, lane: Lane, claims: list[Claim], *, lone: bool) -> None:
        """Send a claim to the encoding thread; one that is alone, with nothing behind it, is encoded and written here.

        That saves two changes of threads, and what else this thread does comes after the write, not beside it: for a
        lone row 4 statements and 3.7 ms of CPU, daemon and server together, instead of 11 and 7.1.
        """
        shared, encoder = self._shared, self._shared.encoder_of(source)
        assert encoder is not None  # encoders are never unloaded
        try:
            work = plan(source, lane, claims, encoder.measure)
        except EncodingError as error:
            change_log.give_back(source, lane, list({claim.change: None for claim in claims}), error)
            raise
        if work.recheck:
            change_log.begin_recheck(source, lane, work.recheck)
            log.info("recheck source=%s", source.name)
            self._on_recheck()
        if not work.changes:
            return
        if not self._in_flight.add(work) or not lone:
            shared.to_encode.put(work)
            return
        embedded = encode(shared, work)
        try:
            write(shared, change_log, embedded)
        except ServerUnreachable:
            shared.to_write.put(embedded)  # the writing thread tries until it succeeds
            raise
        self._in_flight.remove(work)
