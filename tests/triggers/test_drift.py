"""Tables that change under a source: the user's writes go on, the status says what is wrong, nothing stays lost."""

from __future__ import annotations

import subprocess
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from rowvec.admin.verify import verify
from rowvec.database import sources
from rowvec.database.server_programs import binaries
from tests.checking import assert_in_step, until, wait
from tests.running import daemon
from tests.servers import Server, with_database


@pytest.fixture
def docs(user: psycopg.Connection) -> psycopg.Connection:
    user.execute("CREATE TABLE docs (id int PRIMARY KEY, title text, body text)")
    user.execute("SELECT rowvec.watch('docs', ARRAY['title', 'body'], template => '{title}: {body}')")
    user.execute("INSERT INTO docs SELECT g, 'title ' || g, 'text ' || g FROM generate_series(1, 20) g")
    assert_in_step(user, "docs", 20)
    return user


def resolve(connection: psycopg.Connection) -> tuple[str, str | None]:
    """Look at the catalogue as the daemon does with each heartbeat; return the source's state and problem."""
    connection.execute("SELECT rowvec_internal.resolve(id) FROM rowvec_internal.source")
    row = connection.execute("SELECT state, problem FROM rowvec.status").fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_column_that_is_replaced_under_its_name(docs: psycopg.Connection) -> None:
    """The way to change a type without downtime: the name then means another column, and the trigger must follow."""
    docs.execute("ALTER TABLE docs ADD body_new varchar")
    docs.execute("UPDATE docs SET body_new = upper(body)")
    with docs.transaction():
        docs.execute("ALTER TABLE docs RENAME body TO body_old")
        docs.execute("ALTER TABLE docs RENAME body_new TO body")
    docs.execute("UPDATE docs SET body = 'between' WHERE id = 3")
    assert resolve(docs) == ("active", None)
    assert_in_step(docs, "docs", 20)
    docs.execute("UPDATE docs SET body = 'after' WHERE id = 4")
    docs.execute("ALTER TABLE docs DROP COLUMN body_old")
    assert_in_step(docs, "docs", 20)


def test_a_renamed_column_of_a_template(docs: psycopg.Connection) -> None:
    docs.execute('ALTER TABLE docs RENAME title TO "the {title}"')
    docs.execute("UPDATE docs SET body = 'x' WHERE id = 1")
    docs.execute('ALTER TABLE docs RENAME "the {title}" TO heading')
    assert resolve(docs)[0] == "active"
    docs.execute("UPDATE docs SET heading = 'y' WHERE id = 2")
    assert_in_step(docs, "docs", 20)


def test_a_text_column_that_is_dropped(docs: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):  # PostgreSQL's word, because WHEN names it
        docs.execute("ALTER TABLE docs DROP COLUMN body")
    docs.execute("ALTER TABLE docs DROP COLUMN body CASCADE")
    docs.execute("UPDATE docs SET title = 'still writable'")
    docs.execute("INSERT INTO docs VALUES (30, 'still writable')")
    docs.execute("DELETE FROM docs WHERE id = 1")
    assert resolve(docs) == ("broken", 'column "body" is gone: unwatch the source, or watch other columns')
    docs.execute("ALTER TABLE docs ADD body text DEFAULT 'again'")
    assert resolve(docs)[0] == "active"
    assert_in_step(docs, "docs", 20)
    docs.execute("UPDATE docs SET body = 'and followed' WHERE id = 2")
    assert_in_step(docs, "docs", 20)


def test_a_key_that_is_dropped(docs: psycopg.Connection) -> None:
    docs.execute("ALTER TABLE docs DROP COLUMN id CASCADE")
    docs.execute("INSERT INTO docs VALUES ('still writable')")
    docs.execute("DELETE FROM docs WHERE title = 'title 3'")
    docs.execute("TRUNCATE docs")
    assert resolve(docs)[0] == "broken"


def test_disabled_triggers_are_said_and_healed(docs: psycopg.Connection) -> None:
    docs.execute("SET lock_timeout = 0")
    docs.execute("ALTER TABLE docs DISABLE TRIGGER USER")
    docs.execute("UPDATE docs SET body = 'unseen' WHERE id < 5")
    docs.execute("DELETE FROM docs WHERE id = 7")
    state, problem = resolve(docs)
    assert state == "active"
    assert problem is not None
    assert "is disabled" in problem
    docs.execute("ALTER TABLE docs ENABLE TRIGGER USER")
    assert resolve(docs) == ("active", None)
    assert_in_step(docs, "docs", 19)


def test_a_trigger_that_was_dropped_comes_back_with_resume(docs: psycopg.Connection) -> None:
    docs.execute("SET lock_timeout = 0")
    docs.execute("DROP TRIGGER rowvec_1_update ON docs")
    docs.execute("UPDATE docs SET body = 'unseen' WHERE id < 5")
    assert "missing" in str(resolve(docs)[1])
    docs.execute("SELECT rowvec.resume('docs')")
    docs.execute("UPDATE docs SET body = 'seen' WHERE id = 9")
    assert resolve(docs) == ("active", None)
    assert_in_step(docs, "docs", 20)


def test_a_rewrite_and_a_truncate_that_no_trigger_saw(docs: psycopg.Connection) -> None:
    with docs.transaction():
        docs.execute("SET LOCAL session_replication_role = replica")
        docs.execute("TRUNCATE docs")
        docs.execute("INSERT INTO docs VALUES (1, 'one', 'restored')")
    assert resolve(docs) == ("active", None)
    assert_in_step(docs, "docs", 1)


def test_our_schema_may_go_at_any_time(docs: psycopg.Connection) -> None:
    docs.execute("SET lock_timeout = 0")
    docs.execute("SET client_min_messages = error")
    docs.execute("DROP SCHEMA rowvec CASCADE")
    docs.execute("UPDATE docs SET body = 'still writable'")
    docs.execute("INSERT INTO docs VALUES (30, 'still', 'writable')")
    docs.execute("TRUNCATE docs")


def test_tables_that_inherit_are_named_as_a_blind_spot(docs: psycopg.Connection) -> None:
    docs.execute("SET lock_timeout = 0")
    docs.execute("CREATE TABLE more (extra int) INHERITS (docs)")
    docs.execute("INSERT INTO more VALUES (40, 'direct', 'unseen', 1)")
    assert "inherit" in str(resolve(docs)[1])
    assert_in_step(docs, "docs", 21)  # the change of shape asked for a recheck


def test_logical_replication_into_the_table(docs: psycopg.Connection, server: Server) -> None:
    """The apply worker fires no statement trigger, and no row trigger but ENABLE ALWAYS ones: the recheck finds it."""
    if docs.execute("SHOW wal_level").fetchone() != ("logical",):
        pytest.skip("the server's wal_level is not logical")
    publisher = f"{docs.info.dbname}_publisher"
    slot = publisher
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {publisher}")
    try:
        with psycopg.connect(with_database(server.url, publisher), autocommit=True) as origin:
            origin.execute("CREATE TABLE docs (id int PRIMARY KEY, title text, body text)")
            origin.execute("CREATE PUBLICATION p FOR TABLE docs")
            origin.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
            url = psycopg.conninfo.make_conninfo(with_database(server.url, publisher))
            docs.execute("SET lock_timeout = 0")
            docs.execute(
                f"CREATE SUBSCRIPTION s CONNECTION '{url}' PUBLICATION p"
                f" WITH (create_slot = false, slot_name = {slot}, copy_data = false)"
            )
            origin.execute("INSERT INTO docs VALUES (100, 'from', 'afar')")
            origin.execute("UPDATE docs SET body = 'changed afar' WHERE id = 100")
            until(docs, "SELECT body FROM docs WHERE id = 100", "changed afar")
            wait(docs, "docs")
            source = sources.find(docs, "docs")
            assert verify(docs, source, repair=True).missing == 1
            assert_in_step(docs, "docs", 21)
            docs.execute("ALTER SUBSCRIPTION s DISABLE")
            docs.execute("ALTER SUBSCRIPTION s SET (slot_name = NONE)")
            docs.execute("DROP SUBSCRIPTION s")
            until(origin, f"SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'", False)
            origin.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    finally:
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {publisher} WITH (FORCE)")


@pytest.mark.parametrize("shape", ["store_text => false", "into_column => 'embedding'", "chunk_tokens => 8"])
def test_dump_and_restore(
    docs: psycopg.Connection, database_url: str, empty_database_url: str, tmp_path: Path, shape: str
) -> None:
    """Everything comes back, names and numbers too; the restored tables have other oids, so every row is compared."""
    docs.execute(f"SELECT rowvec.watch('docs', 'body', name => 'other', {shape})".encode())
    assert_in_step(docs, "other")
    with docs.transaction():
        docs.execute("SET LOCAL session_replication_role = replica")
        docs.execute("UPDATE docs SET body = 'stale in the dump' WHERE id = 5")
    dump, programs = tmp_path / "dump.sql", binaries()
    subprocess.run([programs / "pg_dump", "-f", dump, database_url], check=True, timeout=60)
    # pg_dump is that of PostgreSQL 18; a server before 17 does not know this setting.
    dump.write_text(dump.read_text().replace("SET transaction_timeout = 0;", "", 1))
    restore: list[str | Path] = [programs / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-o", tmp_path / "said", "-f", dump]
    subprocess.run([*restore, empty_database_url], check=True, timeout=60)
    with psycopg.connect(empty_database_url, autocommit=True) as restored, daemon(empty_database_url, poll_seconds=0.2):
        assert resolve(restored) == ("active", None)
        restored.execute("INSERT INTO docs VALUES (50, 'after', 'the restore')")
        restored.execute("DELETE FROM docs WHERE id = 6")
        assert_in_step(restored, "docs", 20)
        assert_in_step(restored, "other")


@pytest.mark.parametrize(("before", "after", "state"), [("pause", "resume", "active"), ("resume", "pause", "paused")])
def test_a_resume_or_a_pause_beside_a_heartbeat_is_kept(
    docs: psycopg.Connection, database_url: str, before: str, after: str, state: str
) -> None:
    """The heartbeat has read the old state when it writes what it found: here, that the table was rewritten."""
    docs.execute(f"SELECT rowvec.{before}('docs')".encode())
    docs.execute("VACUUM FULL docs")
    with (
        psycopg.connect(database_url, autocommit=True) as heartbeat,
        psycopg.connect(database_url, autocommit=True) as watcher,
    ):
        thread = Thread(target=resolve, args=(heartbeat,))
        with docs.transaction():
            docs.execute(f"SELECT rowvec.{after}('docs')".encode())
            thread.start()
            waiting = f"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = {heartbeat.info.backend_pid}"
            until(watcher, waiting, True)
        thread.join()
    row = docs.execute("SELECT state FROM rowvec.status").fetchone()
    assert row == (state,)
