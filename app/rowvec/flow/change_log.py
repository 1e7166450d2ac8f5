"""The change log as a daemon uses it: claim, ack, fail, give back, renew, release; a statement of rowvec/sql each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import RowFactory, class_row

from rowvec.database.array_literal import literal
from rowvec.database.compile import compiled
from rowvec.database.protocol import PROTOCOL
from rowvec.database.sources import Source
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.flow.column_ack import BatchAck, RowBatch, ack_in_batches
from rowvec.flow.records import Acked, ChangeId, Claim, Failure, Lane, Result, chunk_values, claim_row, vector_values
from rowvec.flow.retry_tiers import KEYS_PER_CHANGE, UNLIMITED, RetryTier, deadly_tries
from rowvec.flow.schedule import Schedule

# A prepared ack of chunks has one plan for all sizes, which joins keys and chunks by nested loops: for one key 0.7 ms
# instead of 2.0, for eight 0.9 instead of 2.1, but for 512 keys with 34,000 chunks 4.3 s instead of 2.2.
_FEW_CHUNKS = 512

T = TypeVar("T")


class ChangeLog:
    """The change log over one connection; not thread-safe, so each thread has its own."""

    def __init__(
        self,
        connection: Connection,
        daemon_id: int,
        *,
        lease_seconds: float,
        max_attempts: int,
        schedule: Schedule | None = None,
    ) -> None:
        """Take an autocommit connection of `connect`, the id that stamps the claims, and the pipeline's schedule."""
        self.connection = connection
        self.daemon_id = daemon_id
        self.lease = timedelta(seconds=lease_seconds)
        self.max_attempts = max_attempts
        self._schedule = schedule or Schedule()

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

        `changes` bounds the log rows that are looked at; `floor` is the seq to begin with; `attempts` is the half-open
        range of earlier tries. Changes of more than `most` keys are left: see `claim_tier`.
        """
        return self._fetch(
            claim_row,
            compiled(source, "flow/claim"),
            source,
            lane,
            prepare=True,
            texts=texts,
            changes=changes,
            floor=floor,
            lease=self.lease,
            recipe=source.recipe,
            protocol=PROTOCOL,
            attempts_from=attempts[0],
            attempts_below=attempts[1],
            most=most,
        )

    def claim_tier(
        self, tier: RetryTier, source: Source, lane: Lane, *, texts: int, changes: int = UNLIMITED, floor: int = 0
    ) -> list[Claim]:
        """Lease changes of about `texts` keys, but no more than `tier` allows; changes that are larger are split."""
        texts = min(texts, tier.keys)
        most = min(texts, KEYS_PER_CHANGE)
        if most < KEYS_PER_CHANGE:
            low, high = tier.attempts
            query = statement("flow/split")
            self._execute(query, source, lane, most=most, floor=floor, attempts_from=low, attempts_below=high)
        changes = min(texts, changes)
        return self.claim(source, lane, texts=texts, changes=changes, floor=floor, attempts=tier.attempts, most=most)

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
        """Write the results and finish the changes, all in one statement, if they are still leased to this daemon.

        `matrix` is float32 (n, dims); a result's vector_row is its row. `unfinished` changes stay in the log: `fail`
        says what becomes of their keys that are missing from the results. In column mode it takes several statements,
        each of which locks a few of the user's rows for a few milliseconds.
        """
        if source.into_column is not None:
            write = partial(self._ack_batch, source, lane, matrix, unfinished)
            give_back = partial(self.give_back, source, lane)
            return ack_in_batches(changes, results, self._schedule[source.id].pace, write, give_back)
        if source.has_chunks:
            name, values, prepare = (
                "ack_chunks",
                chunk_values(results, matrix),
                len(results) + len(matrix) <= _FEW_CHUNKS,
            )
        else:
            name, values, prepare = "ack", vector_values(results, matrix), True
        (acked,) = self._fetch(
            class_row(Acked),
            compiled(source, f"flow/{name}"),
            source,
            lane,
            prepare=prepare,
            **_ids(changes),
            finish=[change not in unfinished for change in changes],
            **values,
        )
        if acked.changes + acked.released < acked.owned:  # a lease was renewed at this very moment
            self.give_back(source, lane, changes)  # to be done again, which is harmless
        return acked

    def _ack_batch(
        self,
        source: Source,
        lane: Lane,
        matrix: NDArray[np.float32],
        unfinished: frozenset[ChangeId],
        batch: RowBatch[ChangeId, Result],
    ) -> BatchAck:
        # Prepared: 1.0 ms instead of 2.5 for a row, 21 instead of 34 for 512. It gains nothing where we may set
        # session_replication_role, since a change of it makes PostgreSQL drop all plans of the session.
        (acked,) = self._fetch(
            class_row(BatchAck),
            compiled(source, "flow/ack_column"),
            source,
            lane,
            prepare=True,
            **_ids(batch.changes),
            ends=list(batch.ends),
            finish=[change not in unfinished for change in batch.changes],
            left_seqs=[change.seq for change, _, _ in batch.left],
            left_parts=[change.part for change, _, _ in batch.left],
            left_keys=[result.claim.key for _, result, _ in batch.left],
            left_busy=[busy for _, _, busy in batch.left],
            **vector_values(batch.keys, matrix),
        )
        return acked

    def fail(self, source: Source, lane: Lane, failures: Sequence[Failure]) -> None:
        """Put failed keys back with back-off, or after the last try to the dead letters; each change as a whole."""
        retried = {f.claim.change for f in failures if not f.final and f.claim.attempts < self.max_attempts}
        again = [failure for failure in failures if failure.claim.change in retried]
        last = [failure for failure in failures if failure.claim.change not in retried]
        for name, some in (("fail", again), ("bury", last)):
            if some:
                self._execute(
                    statement(f"flow/{name}"),
                    source,
                    lane,
                    **_ids([failure.claim.change for failure in some]),
                    keys=[failure.claim.key for failure in some],
                    errors=[failure.error for failure in some],
                    lengths=[failure.text_length for failure in some],
                    hashes=[failure.text_hash for failure in some],
                )

    def begin_recheck(self, source: Source, lane: Lane, changes: Sequence[ChangeId]) -> None:
        """Turn claimed "recheck the whole source" changes into a backfill from the beginning."""
        with translated():  # the likely cause is a renamed key: the trigger functions are made anew first
            self.connection.execute(statement("flow/resolve"), {"source": source.id})
        self._execute(statement("flow/begin_recheck"), source, lane, **_ids(changes))

    def renew(self, source: Source, lane: Lane, changes: Sequence[ChangeId]) -> None:
        """Lease changes for another `lease` from now."""
        self._execute(statement("flow/renew"), source, lane, **_ids(changes), lease=self.lease)

    def give_back(
        self, source: Source, lane: Lane, changes: Sequence[ChangeId], error: BaseException | None = None
    ) -> None:
        """Put changes back without charging a try, to be claimed again in a second; `error` is for rowvec.status."""
        text = None if error is None else str(error)[:500]
        self._execute(statement("flow/give_back"), source, lane, **_ids(changes), error=text)

    def due(self, sources: Sequence[int]) -> list[tuple[int, Lane, bool, bool]]:
        """Where there is work, live lanes first: (source id, lane, changes never tried?, changes tried before?)."""
        with translated():
            values = {"sources": list(sources), "tries": deadly_tries(self.max_attempts)}
            rows = self.connection.execute(statement("flow/due"), values).fetchall()
        return [(id_, Lane(lane), untried, tried) for id_, lane, untried, tried in rows if untried or tried]

    def arm(self, armed: bool) -> None:
        """Say whether this daemon sleeps and wants to be rung."""
        with translated():
            self.connection.execute(statement("flow/arm"), {"daemon": self.daemon_id, "armed": armed})

    def release(self) -> int:
        """Give back everything that this daemon holds, without charging a try; return how many changes."""
        with translated():
            return self.connection.execute(statement("flow/release"), {"daemon": self.daemon_id}).rowcount

    def _fetch(
        self, factory: RowFactory[T], query: Any, source: Source, lane: Lane, *, prepare: bool, **values: object
    ) -> list[T]:
        """Execute a statement and make its rows; `prepare` it where its plan does not depend on how much there is."""
        with translated():
            cursor = self.connection.execute(query, self._parameters(source, lane, values), prepare=prepare)
            make = factory(cursor)
            return [make(row) for row in cursor.fetchall()]

    def _execute(self, query: Any, source: Source, lane: Lane, **values: object) -> None:
        with translated():
            self.connection.execute(query, self._parameters(source, lane, values))

    def _parameters(self, source: Source, lane: Lane, values: dict[str, object]) -> dict[str, object]:
        given = {name: literal(value) if isinstance(value, list) else value for name, value in values.items()}
        return {"source": source.id, "lane": int(lane), "daemon": self.daemon_id, **given}


def _ids(changes: Sequence[ChangeId]) -> dict[str, object]:
    return {
        "seqs": [change.seq for change in changes],
        "parts": [change.part for change in changes],
        "times": [change.claimed_at for change in changes],
    }
