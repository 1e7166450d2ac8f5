"""Users and two daemons in any order that hypothesis can think of; whatever it was, after it nothing differs.

The daemons are their steps (claim, ack, fail, crash, …) on two connections of one process, so that every order of
steps can be had, and had again. Texts are few, so that one that was there before comes back often.
"""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from rowvec.admin.verify import verify
from rowvec.database import sources
from rowvec.database.compile import compiled
from rowvec.database.connection import connect
from rowvec.flow import backfill
from rowvec.flow.change_log import ChangeLog
from rowvec.flow.embed import embed
from rowvec.flow.plan import Work, plan
from rowvec.flow.records import Failure, Lane
from rowvec.flow.retry_tiers import RetryTier
from tests.checking import differences
from tests.fakes import HashEncoder, fake_vector
from tests.running import SHAPES

TEXTS = ["a", "b", "c", "", None]
PARTS = ["a b c d e f", "g h i j k l", "m n o p q", "r s t u v w x y"]  # a paragraph is a chunk
OPERATIONS = ["write", "write", "write", "write", "write many", "delete", "move", "truncate"]
LANES = [Lane.LIVE, Lane.LIVE, Lane.BACKFILL]
VECTOR = "UPDATE docs SET embedding = %s WHERE id = %s"
WRITE = "INSERT INTO docs (id, body) VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body"

OFTEN, SELDOM = ["user", "claim", "claim", "ack", "ack"], ["open transaction", "trouble", "backfill", "purge"]
WHO = OFTEN * 2 + SELDOM


class Machine(RuleBasedStateMachine):
    """The rules are what users and daemons may do; `opened` are two users' connections and two daemons'."""

    opened: ClassVar[list[Any]] = []
    shape: ClassVar[str] = "table"

    def __init__(self) -> None:
        super().__init__()
        self.user, self.held, *self.connections = self.opened
        self.change_logs = [
            ChangeLog(c, n, lease_seconds=60, max_attempts=100) for n, c in enumerate(self.connections, 1)
        ]
        self.claims: list[list[Work]] = [[], []]

    @initialize(rechecks=st.sampled_from([True, False, False]))
    def begin(self, rechecks: bool) -> None:
        """Empty everything; the trigger's own traces too. A recheck heals what went wrong, so most runs have none."""
        self.rechecks = rechecks
        self.user.execute("SET lock_timeout = '100ms'")
        self.user.execute("TRUNCATE docs")
        self.user.execute("TRUNCATE rowvec_internal.change, rowvec.docs_vectors, rowvec_internal.dead")
        self.user.execute("UPDATE rowvec_internal.backfill SET phase = 'done'")
        self.source = sources.find(self.connections[0], "docs")

    @rule(choose=st.randoms(use_true_random=True))
    def steps(self, choose: Random) -> None:
        """Fifty at once, evenly mixed: hypothesis prefers few and simple ones, which found no guard's absence."""
        for n in range(50):
            if n % 10 == 9:  # often, since a later change of a key heals what went wrong before
                self.settle()
            who, what, text = choose.choice(WHO), choose.choice(self.operations()), self.text(choose)
            key, other, daemon, lane = (
                choose.randint(1, 3),
                choose.randint(1, 3),
                choose.randint(0, 1),
                choose.choice(LANES),
            )
            match who:
                case "user":
                    self.user_does(what, key, other, text)
                case "open transaction":
                    self.a_transaction_stays_open(what, 6, text)
                case "claim":
                    self.claim(daemon, lane, key, other == 1)
                case "trouble":
                    self.trouble(what, daemon)
                case "backfill":
                    backfill.advance(self.connections[0], self.source, window=key)
                case "purge":
                    self.purge()
                case _ if self.claims[daemon]:
                    self.ack(daemon, other, key)

    # Users

    def text(self, choose: Random) -> str | None:
        """With chunks some texts have several: of few kinds, so that they are found again elsewhere."""
        if self.shape != "chunks" or choose.random() < 0.3:
            return choose.choice(TEXTS)
        return "\n\n".join(choose.choices(PARTS, k=choose.randint(1, 6)))

    def operations(self) -> list[str]:
        """In column mode users can also write the vector."""
        return [*OPERATIONS, "vector"] if self.shape == "column" else OPERATIONS

    def user_does(self, what: str, key: int, other: int, text: str | None) -> None:
        match what:
            case "write":
                self.user.execute(WRITE, (key, text))
            case "write many":
                self.user.execute("UPDATE docs SET body = %s WHERE id BETWEEN %s AND %s", (text, key, other))
            case "delete":
                self.user.execute("DELETE FROM docs WHERE id = %s", (key,))
            case "move":
                with suppress(psycopg.errors.UniqueViolation):
                    self.user.execute("UPDATE docs SET id = %s WHERE id = %s", (other, key))
            case "vector":
                vector = None if text is None else str(fake_vector(text).tolist())  # right for some text
                self.user.execute(VECTOR, (vector, key))
            case _ if self.rechecks:
                with suppress(psycopg.errors.LockNotAvailable):  # for a user's transaction, not for ours
                    self.user.execute("TRUNCATE docs")

    def a_transaction_stays_open(self, what: str, key: int, text: str | None) -> None:
        match what:
            case "write" | "write many":
                self.held.execute(WRITE, (key, text))
            case "delete":
                self.held.rollback()
            case _:
                self.held.commit()

    # Daemons

    def claim(self, daemon: int, lane: Lane, texts: int, careful: bool) -> None:
        change_log = self.change_logs[daemon]
        if careful:
            claims = change_log.claim_tier(RetryTier((1, 100), texts), self.source, lane, texts=texts)
        else:
            claims = change_log.claim(self.source, lane, texts=texts, changes=texts, attempts=(0, 100))
        if claims:
            self.claims[daemon].append(plan(self.source, lane, claims, HashEncoder.measure))

    def _pop(self, daemon: int, index: int) -> Work:
        return self.claims[daemon].pop(index % len(self.claims[daemon]))

    def ack(self, daemon: int, index: int, fail: int) -> None:
        """Write a claim, the oldest or a later one; sometimes one of its texts fails."""
        work, change_log = self._pop(daemon, index), self.change_logs[daemon]
        if work.recheck:
            change_log.begin_recheck(self.source, work.lane, work.recheck)
        done = embed(work, HashEncoder())
        results, failures = list(done.results), []
        if fail == 3 and work.texts:
            text = work.texts[0]
            results = [result for result in results if result.claim is not text.claim]
            failures = [Failure(text.claim, "so it was wanted", len(text.text), text.hash)]
        unfinished = frozenset(failure.claim.change for failure in failures)
        change_log.ack(self.source, work.lane, work.changes, results, done.matrix, unfinished=unfinished)
        change_log.fail(self.source, work.lane, failures)

    def trouble(self, what: str, daemon: int) -> None:
        match what:
            case "move":  # the process is gone with all that it knew; its leases stay
                self.claims[daemon].clear()
            case "delete":
                for work in self.claims[daemon]:
                    self.change_logs[daemon].give_back(self.source, work.lane, work.changes)
                self.claims[daemon].clear()
            case "write":  # for all; who holds a claim is now a zombie, and may still write
                self.leases_run_out()
            case "truncate" if self.rechecks:
                self.user.execute("SELECT rowvec.recheck('docs')")

    def leases_run_out(self) -> None:
        self.user.execute("UPDATE rowvec_internal.change SET visible_at = '-infinity'")

    def purge(self) -> None:
        """Forget tombstones as if they were old, at the boldest that the statement may."""
        self.user.execute("UPDATE rowvec.docs_vectors SET _at = _at - interval '3 min' WHERE _hash IS NULL")
        self.user.execute("UPDATE rowvec_internal.change SET claimed_at = claimed_at - interval '3 min'")
        self.connections[0].execute(compiled(self.source, "daemon/purge"), {"source": self.source.id})
        self.user.execute("UPDATE rowvec.docs_vectors SET _at = _at + interval '3 min' WHERE _hash IS NULL")
        self.user.execute("UPDATE rowvec_internal.change SET claimed_at = claimed_at + interval '3 min'")

    def teardown(self) -> None:
        """Look once more at the end."""
        self.held.commit()
        self.settle()

    def settle(self) -> None:
        """What is claimed is written, the newest claim first; then one daemon does all that is left."""
        if self.shape == "column":  # what it has locked is not written
            self.held.commit()
        for daemon in (1, 0):
            while self.claims[daemon]:
                self.ack(daemon, -1, 1)
        for _ in range(60):
            self.leases_run_out()
            self.user.execute("UPDATE rowvec_internal.change SET attempts = 0")
            for lane in Lane:
                self.claim(0, lane, 100, False)
            while self.claims[0]:
                self.ack(0, 0, 1)
            going = backfill.advance(self.connections[0], self.source, window=100)
            if not going and self.user.execute("SELECT EXISTS (SELECT FROM rowvec_internal.change)").fetchone() == (
                False,
            ):
                break
        else:
            raise AssertionError("it does not come to an end")
        found = differences(self.user, "docs")
        assert found == [], found
        assert verify(self.connections[0], self.source).ok


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, indirect=True)
def test_any_order_of_steps_ends_in_step(docs: psycopg.Connection, database_url: str, shape: str) -> None:
    with psycopg.connect(database_url) as held, connect(database_url) as one, connect(database_url) as two:
        Machine.opened, Machine.shape = [docs, held, one, two], shape
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=80, stateful_step_count=2, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
