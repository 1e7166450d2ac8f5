"""A database with the fake model and a table, and a daemon on it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from app.daemon import Daemon
from tests.running import add_fake_model, daemon


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
