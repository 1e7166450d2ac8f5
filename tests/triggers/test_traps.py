"""Traps that are shut by how the catalogue is made: read from PostgreSQL's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.checking import until


def test_the_log_has_no_index_on_what_a_claim_changes(connection: psycopg.Connection) -> None:
    """Claims are then HOT: 96 % at fillfactor 50."""
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'rowvec_internal.change'::regclass"
    )
    assert indexes.fetchall() == [("rowvec_internal.change_pkey",)]
    options = connection.execute(
        "SELECT reloptions FROM pg_class WHERE oid = 'rowvec_internal.change'::regclass"
    ).fetchone()
    assert options is not None
    assert "fillfactor=50" in options[0]


def test_nothing_refers_to_a_users_table_by_foreign_key(connection: psycopg.Connection) -> None:
    """FOR KEY SHARE on a user's row makes his DELETE wait."""
    keys = connection.execute(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND connamespace = 'rowvec'::regnamespace"
        " AND confrelid NOT IN (SELECT oid FROM pg_class WHERE relnamespace = 'rowvec'::regnamespace)"
    )
    assert keys.fetchall() == []


def test_a_bulk_statement_rings_once_and_only_for_a_sleeper(connection: psycopg.Connection, database_url: str) -> None:
    from tests.running import add_fake_model

    add_fake_model(connection)
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text)")
    connection.execute("SELECT rowvec.watch('docs', 'body')")
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN rowvec")
        connection.execute("INSERT INTO docs SELECT g, 'text' FROM generate_series(1, 1000) g")
        connection.execute("UPDATE docs SET body = 'changed'")
        assert list(listener.notifies(timeout=0.2)) == []
        connection.execute("INSERT INTO rowvec_internal.daemon (name, pid) VALUES ('sleeper', 1)")
        connection.execute("UPDATE rowvec_internal.daemon SET armed = true")
        with connection.transaction():
            connection.execute("UPDATE docs SET body = 'changed again'")
            connection.execute("DELETE FROM docs WHERE id <= 900")
        rung = list(listener.notifies(timeout=2, stop_after=1)) + list(listener.notifies(timeout=0.1))
        assert [(notify.channel, notify.payload) for notify in rung] == [("rowvec", "")]


def test_triggers_know_whether_anybody_is_armed(connection: psycopg.Connection, database_url: str) -> None:
    """They ask a sequence: it says what the table of daemons says, whoever writes there, and however at once."""

    def armed() -> bool:
        row = connection.execute(
            "SELECT coalesce(pg_sequence_last_value('rowvec_internal.armed') = 2, false)"
        ).fetchone()
        told = connection.execute("SELECT EXISTS (SELECT FROM rowvec_internal.daemon WHERE armed)").fetchone()
        assert row == told
        assert row is not None
        return bool(row[0])

    assert not armed()
    connection.execute("INSERT INTO rowvec_internal.daemon (id, name, pid) VALUES (1, 'one', 1), (2, 'two', 2)")
    assert not armed()
    arm = "UPDATE rowvec_internal.daemon SET armed = %s WHERE id = %s AND armed <> %s"
    waiting = (
        "SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    connection.execute("ALTER FUNCTION rowvec_internal.note_armed() SET lock_timeout = '20s'")  # long enough to be seen
    with psycopg.connect(database_url) as one, psycopg.connect(database_url, autocommit=True) as two:
        for first, second in ((True, False), (False, True), (True, True), (False, False)):
            connection.execute("UPDATE rowvec_internal.daemon SET armed = (id = 2) <> %s", (second,))
            one.execute(arm, (first, 1, first))
            with ThreadPoolExecutor(1) as pool:
                other = pool.submit(two.execute, arm, (second, 2, second))
                until(connection, waiting, 1)
                one.commit()
                other.result()
            assert armed() == (first or second)
        connection.execute("ALTER FUNCTION rowvec_internal.note_armed() SET lock_timeout = '100ms'")
        connection.execute("UPDATE rowvec_internal.daemon SET armed = (id = 1)")
        one.execute(arm, (False, 1, False))  # says "nobody", and is frozen before its COMMIT
        two.execute(arm, (True, 2, True))
        assert armed()
        one.rollback()
        connection.execute("UPDATE rowvec_internal.daemon SET armed = true")
        connection.execute("SELECT setval('rowvec_internal.armed', 1)")  # as a crash of the server may leave it
        connection.execute(arm, (True, 1, True))  # of no row, since it says so already
        assert armed()
        connection.execute("DELETE FROM rowvec_internal.daemon WHERE id = 1")
        assert armed()
        connection.execute("SET session_replication_role = replica")  # where a daemon writes vectors into a column
        connection.execute("DELETE FROM rowvec_internal.daemon")
        assert not armed()
