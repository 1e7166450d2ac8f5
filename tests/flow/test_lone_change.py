"""A lone change goes the short way: rung, claimed and written; nothing else of the daemon's comes between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import current_thread
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rowvec.daemon import daemon as housekeeping
from rowvec.daemon.daemon import Daemon
from rowvec.database.connection import Session
from rowvec.flow import doorbell
from tests.checking import until, wait
from tests.running import check_in_step, daemon

Event = tuple[str, str]  # thread, statement; or "sleep", when nothing but a ring ends it

_NAMES = {
    "lease changes": "claim",
    "write the": "ack",
    '"ring me': "arm",
    "where there": "due",
    "the sources": "catalogue",
    "forget tombstones": "purge",
}


class Watched:
    """What a daemon's threads do, in their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        execute, sleep = Session.execute, doorbell.Doorbell.wait

        def spied_execute(session: Session, query: Any, *args: Any, **options: Any) -> Any:
            text = query.as_string(None) if isinstance(query, sql.Composable) else query
            text = text.decode() if isinstance(text, bytes) else text
            if found := re.match(r"-- Purpose: (\S+ \S+)", text):
                self.events.put((current_thread().name, _NAMES.get(found[1].rstrip(","), found[1])))
            return execute(session, query, *args, **options)

        def spied_sleep(bell: doorbell.Doorbell, at_most: float = float("inf")) -> bool:
            if at_most == float("inf"):
                self.events.put((current_thread().name, "sleep"))
            return sleep(bell, at_most)

        monkeypatch.setattr(Session, "execute", spied_execute)
        monkeypatch.setattr(doorbell.Doorbell, "wait", spied_sleep)

    def until(self, what: str) -> list[Event]:
        """What was done before the next `what`, which is the last."""
        seen = [self.events.get(timeout=30)]
        while seen[-1][1] != what:
            seen.append(self.events.get(timeout=30))
        return seen


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Watch every daemon, which is woken by rings alone: no poll, no round of the housekeeper, saves a test."""
    monkeypatch.setattr(doorbell, "LADDER_SECONDS", ())
    monkeypatch.setattr(housekeeping, "_CATALOGUE_SECONDS", 600.0)
    return Watched(monkeypatch)


@contextmanager
def asleep(
    connection: psycopg.Connection, url: str, watched: Watched, *, poll_seconds: float = 600.0
) -> Iterator[Daemon]:
    """A daemon that has written one row of `documents` and sleeps again, armed."""
    connection.execute("SELECT rowvec.watch('documents', 'body', backfill => false)")
    with daemon(url, poll_seconds=poll_seconds) as running:
        until(connection, "SELECT bool_or(armed) FROM rowvec_internal.daemon", True)
        watched.until("purge")  # with which the housekeeper's first round ends
        connection.execute("INSERT INTO documents (body) VALUES ('first')")
        watched.until("ack")
        watched.until("sleep")
        yield running


def test_nothing_comes_between_the_claim_and_the_write(
    documents: psycopg.Connection, database_url: str, watched: Watched
) -> None:
    with asleep(documents, database_url, watched):
        for _ in range(3):
            documents.execute("INSERT INTO documents (body) VALUES ('lone')")
            before = watched.until("ack")
            assert before[-2:] == [("rowvec claim", "claim"), ("rowvec claim", "ack")], before
            after = watched.until("sleep")
            names = {name for _, name in before + after}
            assert names <= {"claim", "ack", "due", "sleep"}, "neither armed anew nor was the catalogue read"
            assert [name for _, name in after][-2:] == ["due", "sleep"], "it looks for more before it sleeps"
        assert documents.execute("SELECT bool_or(armed) FROM rowvec_internal.daemon").fetchone() == (True,)
    assert check_in_step(documents, "documents") == 4


def test_many_rows_go_through_the_pipe(documents: psycopg.Connection, database_url: str, watched: Watched) -> None:
    with asleep(documents, database_url, watched):
        documents.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(1, 300) g")
        seen = watched.until("arm") + watched.until("arm")  # no more, and again: nobody is to ring while it works
        wait(documents)
        while not watched.events.empty():
            seen.append(watched.events.get())
        assert {thread for thread, name in seen if name == "ack"} == {"rowvec write"}


def test_a_new_source_rings_the_housekeeper(documents: psycopg.Connection, database_url: str, watched: Watched) -> None:
    with asleep(documents, database_url, watched):
        documents.execute("SELECT rowvec.watch('documents', 'title', name => 'titles', backfill => false)")
        watched.until("catalogue")
        documents.execute("INSERT INTO documents (title, body) VALUES ('a title', 'a body')")
        wait(documents, "titles")
        assert check_in_step(documents, "titles") == 2


def test_who_believes_to_be_armed_and_is_not_arms_anew(
    documents: psycopg.Connection, database_url: str, watched: Watched
) -> None:
    """After a long freeze another daemon has disarmed it; behind a pooler a crash takes the arming back unseen."""
    with asleep(documents, database_url, watched, poll_seconds=0.1):
        documents.execute("UPDATE rowvec_internal.daemon SET armed = false")
        documents.execute("INSERT INTO documents (body) VALUES ('polled')")
        watched.until("ack")
        until(documents, "SELECT bool_or(armed) FROM rowvec_internal.daemon", True)
    assert check_in_step(documents, "documents") == 2


def test_what_commits_late_is_not_left_for_a_poll(
    documents: psycopg.Connection, database_url: str, watched: Watched
) -> None:
    """Its number is below the floor, so only a sweep finds it; one that would be too soon is made up for."""
    with asleep(documents, database_url, watched) as running, psycopg.connect(database_url) as late:
        late.execute("INSERT INTO documents (body) VALUES ('late')")
        documents.execute("INSERT INTO documents (body) VALUES ('early')")
        watched.until("ack")
        watched.until("sleep")
        running.pipeline.claiming.sweep_seconds = 0.05  # so that the next one is due a second after the last
        late.commit()
        wait(documents)
    assert check_in_step(documents, "documents") == 3
