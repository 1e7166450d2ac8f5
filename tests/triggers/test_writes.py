"""Every way of writing that SQL has: after each, the vectors are those of the rows."""

from __future__ import annotations

import psycopg
import pytest

from tests.checking import assert_in_step


@pytest.fixture
def docs(user: psycopg.Connection) -> psycopg.Connection:
    user.execute("CREATE TABLE docs (id int PRIMARY KEY, body text, views int DEFAULT 0)")
    user.execute("SELECT rowvec.watch('docs', 'body')")
    user.execute("INSERT INTO docs SELECT g, 'text ' || g FROM generate_series(1, 20) g")
    return user


def changes(user: psycopg.Connection) -> int:
    """How many changes were ever logged, by the sequence that numbers them."""
    row = user.execute("SELECT last_value FROM rowvec_internal.change_seq").fetchone()
    assert row is not None
    return int(row[0])


def test_on_conflict(docs: psycopg.Connection) -> None:
    docs.execute(
        "INSERT INTO docs SELECT g, 'upserted ' || g FROM generate_series(15, 25) g"
        " ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body"
    )
    docs.execute("INSERT INTO docs VALUES (1, 'not taken') ON CONFLICT DO NOTHING")
    assert_in_step(docs, "docs", 25)


def test_merge(docs: psycopg.Connection) -> None:
    docs.execute(
        "MERGE INTO docs d USING (SELECT g AS id FROM generate_series(11, 30) g) s ON d.id = s.id"
        " WHEN MATCHED AND d.id < 15 THEN DELETE WHEN MATCHED THEN UPDATE SET body = 'merged ' || s.id"
        " WHEN NOT MATCHED THEN INSERT (id, body) VALUES (s.id, 'new ' || s.id)"
    )
    assert_in_step(docs, "docs", 26)


def test_copy(docs: psycopg.Connection) -> None:
    with docs.cursor().copy("COPY docs (id, body) FROM STDIN") as copy:
        for i in range(100, 1700):
            copy.write_row((i, f"copied {i}"))
    assert_in_step(docs, "docs", 1620)


def test_writable_ctes_of_all_three_kinds_in_one_statement(docs: psycopg.Connection) -> None:
    docs.execute(
        "WITH gone AS (DELETE FROM docs WHERE id <= 5 RETURNING id, body),"
        " changed AS (UPDATE docs SET body = 'cte ' || id WHERE id BETWEEN 6 AND 10 RETURNING id)"
        " INSERT INTO docs SELECT id + 100, body FROM gone"
    )
    assert_in_step(docs, "docs", 20)


def test_keys_that_change_places(docs: psycopg.Connection) -> None:
    docs.execute("UPDATE docs SET id = id + 1000 WHERE id IN (1, 2, 3)")
    docs.execute("UPDATE docs SET id = CASE id WHEN 4 THEN -4 WHEN 5 THEN 4 END WHERE id IN (4, 5) AND id <> -4")
    docs.execute("ALTER TABLE docs DROP CONSTRAINT docs_pkey, ADD PRIMARY KEY (id) DEFERRABLE")
    docs.execute("UPDATE docs SET id = 26 - id WHERE id BETWEEN 6 AND 20")  # all change places
    docs.execute("UPDATE docs SET id = CASE id WHEN 1001 THEN 1002 ELSE 1001 END WHERE id IN (1001, 1002)")
    assert_in_step(docs, "docs", 20)


def test_what_is_rolled_back_leaves_no_trace(docs: psycopg.Connection) -> None:
    with docs.transaction():
        docs.execute("UPDATE docs SET body = 'kept' WHERE id = 1")
        with docs.transaction(force_rollback=True):
            docs.execute("UPDATE docs SET body = 'undone' WHERE id = 2")
            docs.execute("DELETE FROM docs WHERE id = 3")
    with docs.transaction(force_rollback=True):
        docs.execute("TRUNCATE docs")
    assert_in_step(docs, "docs", 20)


def test_cascades_reach_the_watched_table(docs: psycopg.Connection) -> None:
    docs.execute("CREATE TABLE parent (id int PRIMARY KEY)")
    docs.execute(
        "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE,"
        " body text)"
    )
    docs.execute(
        "CREATE TABLE keyed (parent_id int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE, n int, body text,"
        " PRIMARY KEY (parent_id, n))"
    )
    docs.execute("SELECT rowvec.watch('child', 'body'), rowvec.watch('keyed', 'body')")
    docs.execute("INSERT INTO parent SELECT generate_series(1, 5)")
    docs.execute("INSERT INTO child SELECT g, g % 5 + 1, 'child ' || g FROM generate_series(1, 20) g")
    docs.execute("INSERT INTO keyed SELECT g % 5 + 1, g, 'keyed ' || g FROM generate_series(1, 20) g")
    docs.execute("DELETE FROM parent WHERE id = 2")
    docs.execute("UPDATE parent SET id = 30 WHERE id = 3")
    assert_in_step(docs, "child", 16)
    assert_in_step(docs, "keyed", 16)
    docs.execute("TRUNCATE parent CASCADE")
    docs.execute("INSERT INTO parent VALUES (1)")
    docs.execute("INSERT INTO child VALUES (1, 1, 'after')")
    assert_in_step(docs, "child", 1)
    assert_in_step(docs, "keyed", 0)


def test_texts_that_triggers_and_expressions_make(docs: psycopg.Connection) -> None:
    """A BEFORE trigger changes a text that the statement did not name: `UPDATE OF body` would miss it."""
    docs.execute("CREATE DOMAIN prose AS text CHECK (length(VALUE) < 1000)")
    docs.execute(
        "CREATE TABLE made (id int PRIMARY KEY, title text, tag int DEFAULT 0, body prose,"
        " whole text GENERATED ALWAYS AS (title || ': ' || body::text) STORED)"
    )
    docs.execute(
        "CREATE FUNCTION tagged() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.body := 'body ' || NEW.tag; RETURN NEW; END $$"
    )
    docs.execute("CREATE TRIGGER tagged BEFORE INSERT OR UPDATE ON made FOR EACH ROW EXECUTE FUNCTION tagged()")
    docs.execute("SELECT rowvec.watch('made', 'body'), rowvec.watch('made', 'whole', name => 'whole')")
    docs.execute("INSERT INTO made (id, title) SELECT g, 'title ' || g FROM generate_series(1, 10) g")
    docs.execute("UPDATE made SET tag = tag + 1 WHERE id < 5")
    docs.execute("UPDATE made SET title = 'other' WHERE id = 7")
    assert_in_step(docs, "made", 10)
    assert_in_step(docs, "whole", 10)


def test_two_sources_on_one_table_do_not_meet(docs: psycopg.Connection) -> None:
    docs.execute("ALTER TABLE docs ADD title text")
    docs.execute("SELECT rowvec.watch('docs', ARRAY['title', 'body'], name => 'both', template => '{title}: {body}')")
    assert_in_step(docs, "both", 20)
    docs.execute("UPDATE docs SET title = 'title ' || id WHERE id < 5")
    docs.execute("DELETE FROM docs WHERE id = 6")
    assert_in_step(docs, "docs", 19)
    assert_in_step(docs, "both", 19)
    docs.execute("SET lock_timeout = 0")
    docs.execute("SELECT rowvec.unwatch('docs', drop_vectors => true)")
    docs.execute("UPDATE docs SET body = 'changed' WHERE id = 8")
    assert_in_step(docs, "both", 19)


def test_updates_of_other_columns_log_nothing(docs: psycopg.Connection) -> None:
    assert_in_step(docs, "docs", 20)
    before = changes(docs)
    docs.execute("UPDATE docs SET views = views + 1")
    docs.execute("UPDATE docs SET body = body, id = id")  # as an ORM does that sets every column
    docs.execute("UPDATE docs SET body = 'nobody' WHERE false")
    docs.execute("DELETE FROM docs WHERE id = -1")
    docs.execute("INSERT INTO docs SELECT 1, 'x' WHERE false")
    docs.execute("INSERT INTO docs VALUES (1, 'x') ON CONFLICT DO NOTHING")
    assert changes(docs) == before
    docs.execute("UPDATE docs SET body = upper(body) WHERE id = 1")
    assert changes(docs) == before + 1


def test_empty_blank_and_null_texts_have_no_vector(docs: psycopg.Connection) -> None:
    docs.execute("UPDATE docs SET body = CASE id WHEN 1 THEN '' WHEN 2 THEN E' \\n\\t' ELSE NULL END WHERE id <= 3")
    assert_in_step(docs, "docs", 17)
    docs.execute("UPDATE docs SET body = 'again' WHERE id = 2")
    assert_in_step(docs, "docs", 18)


def test_a_row_that_changes_often_in_one_transaction(docs: psycopg.Connection) -> None:
    with docs.transaction():
        for i in range(50):
            docs.execute("UPDATE docs SET body = 'now ' || %s WHERE id = 1", (i,))
        docs.execute("DELETE FROM docs WHERE id = 2")
        docs.execute("INSERT INTO docs VALUES (2, 'reborn')")
    assert_in_step(docs, "docs", 20)


def test_writes_through_a_view_and_a_prepared_statement(docs: psycopg.Connection) -> None:
    docs.execute("CREATE VIEW papers AS SELECT id, body FROM docs WHERE id < 100")
    for i in range(40, 52):
        docs.execute("INSERT INTO papers VALUES (%s, %s)", (i, f"by view {i}"), prepare=True)
    docs.execute("DELETE FROM papers WHERE id < 5")
    assert_in_step(docs, "docs", 28)


def test_the_daemon_never_writes_into_the_users_table(docs: psycopg.Connection) -> None:
    """A write of ours would fire the user's triggers, move `updated_at` and lock the user's rows."""
    assert_in_step(docs, "docs", 20)
    docs.execute("SELECT pg_stat_force_next_flush()")
    query = "SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE relname = 'docs'"
    assert docs.execute(query).fetchone() == (20, 0, 0)
    keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = 'docs'::regclass"
    assert docs.execute(keys).fetchone() == (0,)
