"""A database with the fake model and a table, and a daemon on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from rowvec.daemon.daemon import Daemon
from rowvec.database.connection import connect
from rowvec.flow.change_log import ChangeLog
from tests.running import add_fake_model, daemon

MakeChangeLog = Callable[..., ChangeLog]


@pytest.fixture
def documents(connection: psycopg.Connection) -> psycopg.Connection:
    """Give a connection to a database with the fake model and an empty table `documents (id, title, body, views)`."""
    add_fake_model(connection)
    connection.execute(
        "CREATE TABLE documents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text, body text,"
        " views int DEFAULT 0)"
    )
    return connection


@pytest.fixture
def running(documents: psycopg.Connection, database_url: str) -> Iterator[Daemon]:
    """Give a daemon that runs on that database."""
    with daemon(database_url, lease_seconds=5.0, poll_seconds=0.2) as started:
        yield started


@pytest.fixture
def make_change_log(documents: psycopg.Connection, database_url: str) -> Iterator[MakeChangeLog]:
    """Give a maker of change logs, each with a daemon's id and a connection of its own."""
    opened: list[psycopg.Connection] = []

    def make(lease_seconds: float = 30.0, max_attempts: int = 3) -> ChangeLog:
        connection = connect(database_url)
        opened.append(connection)
        row = connection.execute(
            "INSERT INTO rowvec_internal.daemon (name, pid) VALUES ('test', 0) RETURNING id"
        ).fetchone()
        assert row is not None
        return ChangeLog(connection, row[0], lease_seconds=lease_seconds, max_attempts=max_attempts)

    yield make
    for connection in opened:
        connection.close()
