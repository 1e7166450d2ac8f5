"""The migrations: the catalogue is what the schema module says, up and down leave nothing, two at once are one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

import rowvec_migrations
from tests.running import add_fake_model


def test_the_catalogue_is_what_the_tables_say(database_url: str) -> None:
    rowvec_migrations.check(database_url)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE rowvec_internal.backfill ADD added integer",
        "ALTER TABLE rowvec_internal.query ALTER asked_at DROP NOT NULL",
        "ALTER TABLE rowvec_internal.query_cache ALTER vector TYPE text",
    ],
)
def test_a_changed_catalogue_is_noticed(connection: psycopg.Connection, database_url: str, change: str) -> None:
    connection.execute(change)
    with pytest.raises(Exception, match="New upgrade operations detected"):
        rowvec_migrations.check(database_url)


def test_down_takes_everything_away_and_up_brings_it_back(connection: psycopg.Connection, database_url: str) -> None:
    add_fake_model(connection)
    connection.execute("CREATE TABLE documents (id int PRIMARY KEY, body text)")
    connection.execute("SELECT rowvec.watch('documents', 'body')")
    rowvec_migrations.downgrade(database_url)
    left = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rowvec%'"
        " UNION ALL SELECT tgname FROM pg_trigger WHERE tgname LIKE 'rowvec%'"
    ).fetchall()
    assert left == []
    connection.execute("INSERT INTO documents VALUES (1, 'unwatched')")
    rowvec_migrations.upgrade(database_url)
    rowvec_migrations.check(database_url)


def test_two_at_once_are_one(empty_database_url: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(rowvec_migrations.upgrade, [empty_database_url] * 2))
    with psycopg.connect(empty_database_url) as connection:
        assert rowvec_migrations.current(connection) is not None
