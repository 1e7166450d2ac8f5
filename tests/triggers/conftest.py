"""A database with the fake model and a daemon on it, and a user's connection that shows the daemon's every lock."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.running import add_fake_model, daemon


@pytest.fixture
def user(connection: psycopg.Connection, database_url: str) -> Iterator[psycopg.Connection]:
    """Give a connection that fails when it has to wait 100 ms for a lock, while a daemon works for its database."""
    add_fake_model(connection)
    with daemon(database_url, lease_seconds=5.0, poll_seconds=0.2):
        connection.execute("SET lock_timeout = '100ms'")
        yield connection
