"""The change log from a daemon's side: claim, ack, fail, bury, release, renew; each is one statement of rowvec/sql."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import Connection

from rowvec.database.array_literal import literal
from rowvec.database.compile import compiled
from rowvec.database.sources import Source
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import DatabaseError
from rowvec.flow.column_ack import Pace, Part, Parts
from rowvec.flow.records import NOTHING, Acked, ChangeId, Claim, Failure, Result, Stored, chunk_values, vector_values

# What a trigger of a user's may run into, or a row that moved to another partition meanwhile: no text is to blame.
_IN_THE_WAY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_MOST_REFUSALS = 12  # in one ack: then its changes go back, for a second
# An ack of chunks that is planned once for all sizes joins keys and chunks one by one: 0.7 ms, not 2.0, for one key,
# 0.9, not 2.1, for eight, but 4.3 s, not 2.2, for 512 keys of 34,000 chunks. So only that of few is prepared.
_FEW_CHUNKS = 512
KEYS_PER_CHANGE = 512  # what a bulk statement's trigger and a backfill put into one change
_ANY = 1_000_000


class Lane(IntEnum):
    """Which changes: what users write now, or a backfill; live always overtakes."""

    LIVE = 0
    BACKFILL = 1


@dataclass(frozen=True, slots=True)
class Care:
    """Changes that were tried so often before (half-open), and how many keys of them may be worked on together."""

    attempts: tuple[int, int]
    keys: int


def cares(max_attempts: int) -> tuple[Care, ...]:
    """What was never tried, and then what a dead process held, by how many tries it has left.

    Whoever sits beside a text that kills is charged with it. So the last try is alone, the one before it with 8 keys,
    and so on by eights: with five tries 512, 512, 64, 8, 1. A text that kills takes all its tries and is buried by
    itself; an innocent one meets its last try alone, and lives. That holds for any number of daemons, each of which is
    careful for itself. What has tries enough left goes fast: 512 keys at a time are thousands a second, one some 100.
    """
    tries = deadly_tries(max_attempts)
    last = [Care((tries - left - 1, tries - left), 8**left) for left in range(min(3, tries - 1))]
    first = [Care((1, tries - 3), KEYS_PER_CHANGE)] if tries > 4 else []
    return (Care((0, 1), _ANY), *first, *reversed(last))


def deadly_tries(max_attempts: int) -> int:
    """How many deaths it takes to be buried: two at least, since the first may be a neighbour's."""
    return max(2, max_attempts)


class Queue:
    """The change log over one connection; not thread-safe, so each thread has its own."""

    def __init__(
        self,
        connection: Connection,
        worker: int,
        *,
        lease_seconds: float,
        max_attempts: int,
        paces: MutableMapping[int, Pace] | None = None,
    ) -> None:
        """Take an autocommit connection of `connect` and the id that stamps the claims.

        `paces`, by source id: how many rows of a user's table one statement may write, kept from queue to queue.
        """
        self.connection = connection
        self.worker = worker
        self.lease = timedelta(seconds=lease_seconds)
        self.max_attempts = max_attempts
        self._paces = defaultdict(Pace) if paces is None else paces

    def claim(
        self,
        source: Source,
        lane: Lane,
        *,
        texts: int,
        changes: int,
        floor: int = 0,
        attempts: tuple[int, int] = (0, 1),
        most: int = KEYS_PER_CHANGE,
    ) -> list[Claim]:
        """Lease changes of about `texts` keys, oldest first, and read their texts.

        `changes` bounds the log rows that are looked at; `floor` skips the dead prefix that finished changes leave;
        `attempts` is the half-open range of earlier tries. Changes of more than `most` keys are left: see `split`.
        """
        rows = self._run_prepared(
            compiled(source, "flow/claim"),
            source,
            lane,
            texts=texts,
            changes=changes,
            floor=floor,
            lease=self.lease,
            recipe=source.recipe,
            attempts_from=attempts[0],
            attempts_below=attempts[1],
            most=most,
        )
        return [
            Claim(
                ChangeId(seq, part, claimed_at),
                attempts,
                key,
                at,
                hash_,
                version or 0,
                text,
                bool(cut),
                Stored(tuple(hashes or ()), end) if source.has_chunks else NOTHING,
            )
            for seq, part, claimed_at, attempts, key, at, hash_, version, text, cut, hashes, end in rows
        ]

    def claim_with(
        self, care: Care, source: Source, lane: Lane, *, texts: int, changes: int = _ANY, floor: int = 0
    ) -> list[Claim]:
        """Lease changes of about `texts` keys, but no more at once than `care` allows; take apart what is too large."""
        texts = min(texts, care.keys)
        most = min(texts, KEYS_PER_CHANGE)
        if most < KEYS_PER_CHANGE:
            self.split(source, lane, most=most, attempts=care.attempts, floor=floor)
        changes = min(texts, changes)
        return self.claim(source, lane, texts=texts, changes=changes, floor=floor, attempts=care.attempts, most=most)

    def split(
        self, source: Source, lane: Lane, *, most: int, attempts: tuple[int, int] = (0, 1), floor: int = 0
    ) -> None:
        """Take apart the first changes that hold more than `most` keys."""
        self._run(
            statement("flow/split"),
            source,
            lane,
            most=most,
            floor=floor,
            attempts_from=attempts[0],
            attempts_below=attempts[1],
        )

    def ack(
        self,
        source: Source,
        lane: Lane,
        changes: Sequence[ChangeId],
        results: Sequence[Result],
        matrix: NDArray[np.float32],
        *,
        unfinished: frozenset[ChangeId] = frozenset(),
    ) -> Acked:
        """Write the results and finish the changes, all in one statement, if they are still leased to this worker.

        `matrix` is float32 (n, dims); a result's vector_row is its row. `unfinished` changes stay in the log: `fail` or
        `bury` says what becomes of the keys that are missing from the results. In column mode it takes several
        statements, each of which locks a few of the user's rows for a few milliseconds.
        """
        if source.into_column is not None:
            return self._ack_column(source, lane, changes, results, matrix, unfinished)
        if source.has_chunks:
            run = self._run_prepared if len(results) + len(matrix) <= _FEW_CHUNKS else self._run
            name, values = "flow/ack_chunks", chunk_values(results, matrix)
        else:
            run, name, values = self._run_prepared, "flow/ack", vector_values(results, matrix)
        row = run(
            compiled(source, name),
            source,
            lane,
            seqs=[change.seq for change in changes],
            parts=[change.part for change in changes],
            times=[change.claimed_at for change in changes],
            finish=[change not in unfinished for change in changes],
            **values,
        )[0]
        *counts, owned = row
        acked = Acked(*counts)
        if acked.changes + acked.released < owned:  # leased for longer in this very moment: done again, and harmless
            self.give_back(source, lane, changes)
        return acked

    def _ack_column(
        self,
        source: Source,
        lane: Lane,
        changes: Sequence[ChangeId],
        results: Sequence[Result],
        matrix: NDArray[np.float32],
        unfinished: frozenset[ChangeId],
    ) -> Acked:
        pace, parts = self._paces[source.id], Parts(changes, [(result.claim.change, result) for result in results])
        acked, refusals = Acked(0, 0, 0), 0
        while parts:
            part, started = parts.take(pace.rows), time.monotonic()
            rows = len(part.keys)
            try:
                row = self._ack_part(source, lane, part, matrix, unfinished)
            except DatabaseError as error:
                refusals += 1
                table_is_locked = time.monotonic() - started > 1.0  # within the statement nothing waits that long
                if table_is_locked or refusals > _MOST_REFUSALS or not isinstance(error.__cause__, _IN_THE_WAY):
                    raise
                pace.shrink(rows)
                if rows > 1:
                    continue
                row = self._ack_part(source, lane, parts.leave(part, True), matrix, unfinished)
            finished, keys, released, lost, busy, slipped, again, seconds = row
            if slipped:  # leased for longer in this very moment: done again, and harmless
                self.give_back(source, lane, part.changes)
            pace.observe(rows, seconds)
            left = {**dict.fromkeys(lost, False), **dict.fromkeys(busy, True)}
            parts.done(
                rows, [(r.claim.change, r, left[r.claim.key]) for r in part.keys if r.claim.key in left] if left else ()
            )
            soonest = min((s for s in (acked.again_seconds, again) if s is not None), default=None)
            acked = Acked(acked.changes + finished, acked.keys + keys, acked.released + released, soonest)
        return acked

    def _ack_part(
        self,
        source: Source,
        lane: Lane,
        part: Part[ChangeId, Result],
        matrix: NDArray[np.float32],
        unfinished: frozenset[ChangeId],
    ) -> tuple[Any, ...]:
        # Prepared: 1.0 ms instead of 2.5 for a row, 21 instead of 34 for 512; but nothing where we may set
        # session_replication_role, since that makes PostgreSQL throw all plans of a session away.
        return self._run_prepared(
            compiled(source, "flow/ack_column"),
            source,
            lane,
            seqs=[change.seq for change in part.changes],
            parts=[change.part for change in part.changes],
            times=[change.claimed_at for change in part.changes],
            ends=list(part.ends),
            finish=[change not in unfinished for change in part.changes],
            left_seqs=[change.seq for change, _, _ in part.left],
            left_parts=[change.part for change, _, _ in part.left],
            left_keys=[result.claim.key for _, result, _ in part.left],
            left_busy=[busy for _, _, busy in part.left],
            **vector_values(part.keys, matrix),
        )[0]

    def fail(self, source: Source, lane: Lane, failures: Sequence[Failure]) -> None:
        """Put failed keys back with back-off, or, after the last attempt, to the dead letters."""
        # A change is put back or ended as a whole.
        hopeful = {f.claim.change for f in failures if not f.final and f.claim.attempts < self.max_attempts}
        last = [failure for failure in failures if failure.claim.change not in hopeful]
        again = [failure for failure in failures if failure.claim.change in hopeful]
        for name, some in (("fail", again), ("bury", last)):
            if some:
                self._run(
                    statement(f"flow/{name}"),
                    source,
                    lane,
                    seqs=[failure.claim.change.seq for failure in some],
                    parts=[failure.claim.change.part for failure in some],
                    times=[failure.claim.change.claimed_at for failure in some],
                    keys=[failure.claim.key for failure in some],
                    errors=[failure.error for failure in some],
                    lengths=[failure.text_length for failure in some],
                    hashes=[failure.text_hash for failure in some],
                )

    def begin_recheck(self, source: Source, lane: Lane, changes: Sequence[ChangeId]) -> None:
        """Turn claimed "recheck the whole source" changes into a backfill from the beginning."""
        with translated():  # most likely a key was renamed: the trigger functions are made anew first
            self.connection.execute(statement("daemon/resolve"), {"source": source.id})
        self._on(statement("flow/begin_recheck"), source, lane, changes)

    def renew(self, source: Source, lane: Lane, changes: Sequence[ChangeId]) -> None:
        """Lease changes for another while."""
        self._on(statement("daemon/renew"), source, lane, changes, lease=self.lease)

    def give_back(
        self, source: Source, lane: Lane, changes: Sequence[ChangeId], error: BaseException | None = None
    ) -> None:
        """Put changes back uncharged, to be tried again in a second; `error` is for rowvec.status."""
        self._on(statement("flow/give_back"), source, lane, changes, error=None if error is None else str(error)[:500])

    def due(self, sources: Sequence[int]) -> list[tuple[int, Lane, bool, bool]]:
        """Where there is work, live lanes first: (source id, lane, fresh changes?, changes to be careful with?)."""
        with translated():
            values = {"sources": list(sources), "tries": deadly_tries(self.max_attempts)}
            rows = self.connection.execute(statement("flow/due"), values).fetchall()
        return [(id_, Lane(lane), fresh, careful) for id_, lane, fresh, careful in rows if fresh or careful]

    def arm(self, armed: bool) -> None:
        """Say that this worker sleeps and wants to be rung, or no more."""
        with translated():
            self.connection.execute(statement("flow/arm"), {"daemon": self.worker, "armed": armed})

    def release(self) -> int:
        """Give back everything that this worker holds, uncharged; return how many changes."""
        with translated():
            return self.connection.execute(statement("flow/release"), {"daemon": self.worker}).rowcount

    def _on(self, query: Any, source: Source, lane: Lane, changes: Sequence[ChangeId], **values: object) -> None:
        seqs, parts = [change.seq for change in changes], [change.part for change in changes]
        times = [change.claimed_at for change in changes]
        self._run(query, source, lane, seqs=seqs, parts=parts, times=times, **values)

    def _run(self, query: Any, source: Source, lane: Lane, **values: object) -> list[tuple[Any, ...]]:
        return self._execute(query, source, lane, values, prepare=False)

    def _run_prepared(self, query: Any, source: Source, lane: Lane, **values: object) -> list[tuple[Any, ...]]:
        """For statements whose plan does not depend on how much there is."""
        return self._execute(query, source, lane, values, prepare=True)

    def _execute(
        self, query: Any, source: Source, lane: Lane, values: dict[str, object], *, prepare: bool
    ) -> list[tuple[Any, ...]]:
        given = {name: literal(value) if isinstance(value, list) else value for name, value in values.items()}
        with translated():
            cursor = self.connection.execute(
                query, {"source": source.id, "lane": int(lane), "daemon": self.worker, **given}, prepare=prepare
            )
            return cursor.fetchall() if cursor.description else []
