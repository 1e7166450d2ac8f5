"""A database of the baseline, with sources of every shape, made older still, is migrated and is right after."""

from __future__ import annotations

import re
import subprocess

import psycopg
import pytest

import rowvec_migrations
from rowvec.admin.verify import verify
from rowvec.database import server_programs, sources
from rowvec.database.protocol import PROTOCOL
from tests.checking import assert_in_step, logged
from tests.fakes import HashEncoder
from tests.migrations.make_dump import DUMP, SHAPES
from tests.running import daemon

# What an older version may have left: functions that do other things, under other names, or are not there yet.
OLDER = r"""
UPDATE rowvec_internal.protocol SET number = 0;
DO $$ DECLARE f regprocedure; BEGIN
  FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'rowvec'::regnamespace LOOP
    EXECUTE format('DROP ROUTINE %s', f);
  END LOOP;
END $$;
CREATE FUNCTION rowvec.search(source text, query vector) RETURNS TABLE (key text) LANGUAGE sql AS $$ SELECT 'stale' $$;
CREATE FUNCTION rowvec.watch(source_table regclass, text_column text) RETURNS text LANGUAGE sql AS $$ SELECT 'stale' $$;
CREATE FUNCTION rowvec_internal.make_plain(p_source smallint) RETURNS void LANGUAGE sql AS $$ SELECT $$;
CREATE OR REPLACE FUNCTION rowvec_internal.ring(about text DEFAULT '') RETURNS void LANGUAGE sql AS $$ SELECT $$;
CREATE OR REPLACE FUNCTION rowvec_internal.text_sql(p_record text, p_table oid, p_columns name[], p_template text)
  RETURNS text LANGUAGE sql AS $$ SELECT '''stale''' $$;
DROP VIEW rowvec.status, rowvec.errors;
"""
OLDER_SOURCES = r"""
DO $$ DECLARE s record; BEGIN
  FOR s IN SELECT id, source_table, vector_table, into_column FROM rowvec_internal.source WHERE state = 'active' LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION rowvec_internal.source_%s_row() RETURNS trigger LANGUAGE plpgsql'
                   ' AS ''BEGIN RETURN NULL; END''', s.id);
    EXECUTE format('DROP TRIGGER rowvec_%s_update ON %s', s.id, s.source_table);
    EXECUTE format('CREATE TRIGGER rowvec_%1$s_update AFTER UPDATE ON %2$s FOR EACH ROW WHEN (OLD.id <> NEW.id)'
                   ' EXECUTE FUNCTION rowvec_internal.source_%1$s_row()', s.id, s.source_table);
    EXECUTE format('DROP TRIGGER rowvec_%s_truncate ON %s', s.id, s.source_table);
    EXECUTE format('CREATE TRIGGER rowvec_%1$s_old AFTER TRUNCATE ON %2$s EXECUTE FUNCTION'
                   ' rowvec_internal.source_%1$s_truncate()', s.id, s.source_table);
    IF s.into_column IS NULL THEN
      EXECUTE format('DROP POLICY rowvec_read_%s ON %s', s.id, s.vector_table);
      EXECUTE format('CREATE POLICY rowvec_read_%s ON %s FOR SELECT USING (true)', s.id, s.vector_table);
    END IF;
  END LOOP;
END $$;
"""


@pytest.fixture
def restored(empty_database_url: str) -> str:
    """Restore the dump and make it older; give the database's URL."""
    psql = str(server_programs.binaries() / "psql")
    restore = [psql, "-Xq", "-v", "ON_ERROR_STOP=1", "-f", str(DUMP), empty_database_url]
    subprocess.run(restore, check=True, capture_output=True, timeout=120)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(OLDER.encode())
        connection.execute(OLDER_SOURCES.encode())
    return empty_database_url


def definitions(connection: psycopg.Connection) -> dict[str, list[tuple[str, ...]]]:
    """Everything that migrate makes, as PostgreSQL writes it; ids of sources are those of the dump."""
    queries = {
        "functions": "SELECT oid::regprocedure::text, pg_get_functiondef(oid), coalesce(proacl::text, '') FROM pg_proc"
        " WHERE pronamespace IN ('rowvec'::regnamespace, 'rowvec_internal'::regnamespace)",
        "triggers": "SELECT tgname::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "policies": "SELECT polname::text, pg_get_expr(polqual, polrelid) FROM pg_policy",
        "views": "SELECT viewname::text, definition FROM pg_views WHERE schemaname = 'rowvec'",
        "comments": "SELECT classoid::regclass::text || objoid::text, description FROM pg_description"
        " WHERE objoid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'rowvec'::regnamespace)",
    }
    return {name: sorted(connection.execute(query.encode()).fetchall()) for name, query in queries.items()}


@pytest.fixture
def migrated(restored: str) -> str:
    """Migrate it to head."""
    rowvec_migrations.upgrade(restored)
    return restored


def test_it_is_what_a_new_database_is(migrated: str, database_url: str) -> None:
    rowvec_migrations.check(migrated)
    with psycopg.connect(migrated) as old, psycopg.connect(database_url) as new:
        assert old.execute("SELECT number FROM rowvec_internal.protocol").fetchall() == [(PROTOCOL,)]
        after, fresh = definitions(old), definitions(new)
    ours = [row for row in after["functions"] if not re.search(r"source_\d+_", row[0])]
    assert ours == fresh["functions"]
    assert after["views"] == fresh["views"]
    assert len(after["comments"]) == len(fresh["comments"])


def test_what_was_made_for_sources_is_as_if_made_now(migrated: str) -> None:
    """Each source is watched again beside the old one: its triggers and policy are the same, but for the number."""
    with psycopg.connect(migrated, autocommit=True) as connection:
        for name, (_, recipe) in SHAPES.items():
            again = recipe.replace("'embedding'", "'embedding2'")
            connection.execute(f"SELECT rowvec.watch('{name}', {again}, name => '{name}_again')".encode())
            old, new = (sources.find(connection, source).id for source in (name, f"{name}_again"))
            for catalogue in ("triggers", "policies"):
                found = definitions(connection)[catalogue]
                of = {id_: [_without(id_, row) for row in found if row[0].startswith("rowvec_") and f"_{id_}" in row[0]]
                      for id_ in (old, new)}  # fmt: skip
                assert of[old] or name == "in_row", catalogue
                assert of[old] == [tuple(part.replace("embedding2", "embedding") for part in row) for row in of[new]]


def _without(id_: int, row: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(re.sub(rf"(?<=[_(']){id_}(?![0-9])", "N", part).replace("_again_vectors", "_vectors") for part in row)


def test_data_is_kept_changes_are_logged_and_drained(migrated: str) -> None:
    encoder = HashEncoder()
    with psycopg.connect(migrated, autocommit=True) as connection:
        waiting: dict[str, int] = dict(connection.execute("SELECT name, pending FROM rowvec.status").fetchall())
        assert all(waiting[name] > 0 for name in SHAPES), waiting
        for name in SHAPES:
            update = f"UPDATE {name} SET body = 'changed after the migration' WHERE id = 1"
            assert sum(len(keys or []) for keys in logged(connection, update)) >= 1, name
            connection.execute(update.encode())
            connection.execute(f"DELETE FROM {name} WHERE id = 5".encode())
            assert logged(connection, f"TRUNCATE {name}") == [None]
        with daemon(migrated, encoder, lease_seconds=5.0, poll_seconds=0.1):
            for name in SHAPES:
                assert_in_step(connection, name)
                report = verify(connection, sources.find(connection, name))
                assert (report.missing, report.stale, report.orphan, report.wrong_model) == (0, 0, 0, 0), name
            connection.execute("SELECT rowvec.resume('paused')")
            assert_in_step(connection, "paused")
        embedded_texts = {text for texts in encoder.calls for text in texts}
        assert "body 4" not in str(embedded_texts)  # what was embedded before the dump is not embedded again
        for name in SHAPES:
            found = connection.execute(
                f"SELECT key FROM rowvec.search('{name}', array_fill(1, ARRAY[8])::vector, k => 50)".encode()
            ).fetchall()
            rows = connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()
            assert (len(found),) == rows, name
        assert connection.execute("SELECT rowvec.watch('plain', 'body', name => 'new')").fetchone() == ("new",)


def test_migrating_twice_changes_nothing(migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        before = definitions(connection)
        rowvec_migrations.upgrade(migrated)
        assert definitions(connection) == before
