"""Migrating beside users: a lock that is held is given up, its holder is named, and one busy table stops no other."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

import rowvec_migrations
from rowvec.cli.main import main
from rowvec_migrations import Patience, Unfinished
from tests.running import add_fake_model

HASTY = Patience(lock_seconds=0.2, tries=2)
TRIGGERS = "SELECT tgrelid::regclass::text, oid FROM pg_trigger WHERE tgname ~ '^rowvec_\\d+_truncate'"


@pytest.fixture
def two(connection: psycopg.Connection) -> psycopg.Connection:
    """Two sources whose triggers are those of an older version."""
    add_fake_model(connection)
    for table in ("busy", "quiet"):
        connection.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, body text)".encode())
        connection.execute("SELECT rowvec.watch(%s::regclass, 'body')", (table,))
    _make_old(connection)
    return connection


def pairs(connection: psycopg.Connection, query: str) -> dict[str, Any]:
    """A query's two columns."""
    return {name: value for name, value in connection.execute(query.encode()).fetchall()}


def _make_old(connection: psycopg.Connection) -> None:
    """Give the TRUNCATE triggers another definition."""
    for id_, table in connection.execute("SELECT id, source_table::text FROM rowvec_internal.source").fetchall():
        connection.execute(f"DROP TRIGGER rowvec_{id_}_truncate ON {table}".encode())
        connection.execute(
            f"CREATE TRIGGER rowvec_{id_}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
            f" EXECUTE FUNCTION rowvec_internal.source_{id_}_truncate()".encode()
        )


def test_a_busy_table_is_named_and_the_others_are_done(two: psycopg.Connection, database_url: str) -> None:
    before = pairs(two, TRIGGERS)
    with psycopg.connect(database_url, application_name="a report") as reader:
        reader.execute("SELECT FROM busy")
        with pytest.raises(Unfinished) as caught:
            rowvec_migrations.upgrade(database_url, patience=HASTY)
    assert 'source "busy": table busy is locked by process' in str(caught.value)
    assert "a report, idle in transaction" in str(caught.value)
    assert "quiet" not in str(caught.value)
    after = pairs(two, TRIGGERS)
    assert before["busy"] == after["busy"]
    assert before["quiet"] != after["quiet"]
    rowvec_migrations.upgrade(database_url, patience=HASTY)  # again, when it is free
    assert pairs(two, TRIGGERS)["busy"] != before["busy"]


@pytest.mark.slow
def test_the_command_says_so_and_exits_1(
    two: psycopg.Connection,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del two
    monkeypatch.setattr("sys.argv", ["rowvec", "migrate"])
    monkeypatch.setenv("ROWVEC_DATABASE_URL", database_url)
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT FROM busy")
        with pytest.raises(SystemExit) as ended:
            main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert 'source "busy": table busy is locked by process' in said
    assert "rowvec migrate` again" in said


def test_where_nothing_differs_no_table_is_locked(two: psycopg.Connection, database_url: str) -> None:
    rowvec_migrations.upgrade(database_url)
    before = two.execute("SELECT oid FROM pg_trigger UNION ALL SELECT oid FROM pg_policy ORDER BY 1").fetchall()
    with psycopg.connect(database_url) as writer:
        writer.execute("INSERT INTO busy VALUES (1, 'open')")
        writer.execute("SELECT FROM rowvec.busy_vectors, rowvec_internal.change")
        rowvec_migrations.upgrade(database_url, patience=Patience(lock_seconds=0.1, tries=1))
    after = two.execute("SELECT oid FROM pg_trigger UNION ALL SELECT oid FROM pg_policy ORDER BY 1").fetchall()
    assert before == after


def test_who_holds_the_schema_is_named(two: psycopg.Connection, database_url: str) -> None:
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT FROM rowvec.status")
        with pytest.raises(Unfinished, match=r"table rowvec\.status is locked by process \d+"):
            rowvec_migrations.upgrade(database_url, patience=HASTY)
    assert two.execute("SELECT count(*) FROM rowvec_internal.source").fetchone() == (2,)


def test_how_a_trigger_is_enabled_is_kept(two: psycopg.Connection, database_url: str) -> None:
    ids = pairs(two, "SELECT name, id FROM rowvec_internal.source")
    two.execute(f"ALTER TABLE quiet ENABLE ALWAYS TRIGGER rowvec_{ids['quiet']}_truncate".encode())
    rowvec_migrations.upgrade(database_url)
    enabled = pairs(two, "SELECT tgname, tgenabled FROM pg_trigger WHERE tgname ~ '^rowvec_\\d+_truncate'")
    assert enabled == {f"rowvec_{ids['quiet']}_truncate": "A", f"rowvec_{ids['busy']}_truncate": "O"}
    definitions = two.execute("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname ~ '^rowvec_\\d+_truncate'")
    assert all("AFTER TRUNCATE" in definition for (definition,) in definitions.fetchall())
    two.execute("SELECT rowvec.pause('quiet')")
    rowvec_migrations.upgrade(database_url)  # a paused source gets no triggers
    assert pairs(two, TRIGGERS).keys() == {"busy"}
