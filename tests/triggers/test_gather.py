"""UPDATEs of the text, whose keys the trigger's WHEN clause gathers: nothing is lost, whatever runs in between."""

from __future__ import annotations

import random
from contextlib import suppress

import psycopg
import pytest

from tests.checking import assert_in_step, logged


@pytest.fixture
def docs(user: psycopg.Connection) -> psycopg.Connection:
    user.execute("CREATE TABLE docs (id int PRIMARY KEY, body text, views int DEFAULT 0)")
    user.execute("SELECT rowvec.watch('docs', 'body')")
    user.execute("INSERT INTO docs SELECT g, 'text ' || g FROM generate_series(1, 2000) g")
    assert_in_step(user, "docs", 2000)
    return user


def test_one_event_and_few_log_rows(docs: psycopg.Connection) -> None:
    keys = logged(docs, "UPDATE docs SET body = body || '!'")
    assert len(keys) < 15
    assert sorted(int(key) for some in keys for key in some or ()) == list(range(1, 2001))
    assert logged(docs, "UPDATE docs SET body = body || '!' WHERE id = 7") == [["7"]]
    assert logged(docs, "UPDATE docs SET id = -id WHERE id = 7") == [["-7", "7"]]
    assert logged(docs, "UPDATE docs SET views = 1") == []


def test_savepoints_take_back_what_was_gathered(docs: psycopg.Connection) -> None:
    with docs.transaction():
        docs.execute("UPDATE docs SET body = 'first' WHERE id <= 500")
        with docs.transaction(force_rollback=True):
            docs.execute("UPDATE docs SET body = 'undone' WHERE id <= 700")
        docs.execute("UPDATE docs SET body = 'second' WHERE id > 1000")
        with pytest.raises(psycopg.errors.DivisionByZero), docs.transaction():
            docs.execute("UPDATE docs SET body = (1 / (id - 900))::text WHERE id > 800")
        docs.execute("UPDATE docs SET body = 'third' WHERE id = 1001")
    assert_in_step(docs, "docs", 2000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_random_transactions_log_every_key_that_changed(docs: psycopg.Connection, seed: int) -> None:
    choose = random.Random(seed)
    statements = (
        "UPDATE docs SET body = body || 'x' WHERE id % {0} = {1}",
        "UPDATE docs SET id = -id, body = 'moved' WHERE id % {0} = {1}",
        "UPDATE docs SET views = views + 1 WHERE id % {0} = {1}",
        "UPDATE docs SET body = (1 / (id - {2}))::text WHERE id % {0} = {1}",  # fails, after some rows, or does not
    )

    def nest(depth: int) -> None:
        for _ in range(choose.randint(1, 3)):
            modulus = choose.choice((1, 2, 7, 300, 2000))
            statement = choose.choice(statements)
            given = modulus, choose.randrange(modulus), choose.randint(1, 2000)
            with suppress(psycopg.errors.DivisionByZero), docs.transaction(force_rollback=choose.random() < 0.2):
                docs.execute(statement.format(*given).encode())
                if depth:
                    nest(depth - 1)

    def rows() -> dict[int, str]:
        return dict(docs.execute("SELECT id, body FROM docs").fetchall())

    for _ in range(15):
        before = rows()
        with docs.transaction():
            [(last,)] = docs.execute("SELECT last_value FROM rowvec_internal.change_seq").fetchall()
            nest(2)
            found = docs.execute("SELECT keys FROM rowvec_internal.change WHERE seq > %s", [last]).fetchall()
        after = rows()
        changed = {str(key) for key in before | after if before.get(key) != after.get(key)}
        assert (None,) not in found
        assert changed <= {key for (keys,) in found for key in keys}
    assert_in_step(docs, "docs", 2000)


@pytest.mark.parametrize("when", ["BEFORE", "AFTER"])
def test_triggers_of_the_users_update_the_table_meanwhile(docs: psycopg.Connection, when: str) -> None:
    """Also in blocks that fail and are taken back, while the outer statement has gathered some rows and not all."""
    docs.execute(
        "CREATE FUNCTION neighbour() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF pg_trigger_depth() > 1 OR OLD.id > 100 THEN RETURN NEW; END IF;"
        " UPDATE docs SET body = 'of ' || NEW.id WHERE id BETWEEN 1000 AND 1000 + NEW.id % 3;"
        " BEGIN UPDATE docs SET body = 'undone' WHERE id > 1500; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END;"
        " UPDATE docs SET body = 'of ' || NEW.id WHERE id = 1900 - NEW.id; RETURN NEW; END $$"
    )
    docs.execute(f"CREATE TRIGGER a {when} UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION neighbour()".encode())
    docs.execute("SET lock_timeout = 0")
    docs.execute("UPDATE docs SET body = body || '!' WHERE id <= 900")
    assert_in_step(docs, "docs", 2000)


def test_a_setting_that_somebody_empties_is_noticed(docs: psycopg.Connection) -> None:
    docs.execute(
        "CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.id % 600 = 0 THEN RESET ALL; END IF; RETURN NEW; END $$"
    )
    docs.execute("CREATE TRIGGER tidy BEFORE UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION tidy()")
    assert None in logged(docs, "UPDATE docs SET body = body || '!'")
    docs.execute("UPDATE docs SET body = body || '!'")
    assert_in_step(docs, "docs", 2000)


def test_what_is_no_key_becomes_a_recheck(docs: psycopg.Connection) -> None:
    """A claim would fail on it again and again."""
    wrong = "set_config('rowvec.changed_1', 'no key', true)"
    forge = f"UPDATE docs SET body = CASE id WHEN 2 THEN {wrong} ELSE 'x' END WHERE id < 4"
    assert logged(docs, forge) == [None]
    docs.execute(forge.encode())
    assert_in_step(docs, "docs", 2000)


@pytest.mark.parametrize("columns", ["a", "a, b"])
def test_keys_of_any_text(user: psycopg.Connection, columns: str) -> None:
    user.execute(f"CREATE TABLE docs (a text, b varchar DEFAULT 'b', body text, PRIMARY KEY ({columns}))".encode())
    user.execute("SELECT rowvec.watch('docs', 'body')")
    odd = ["", " ", ",", ";", '"', "\\", "'", "a,b", '{"x"}', "[null]", "null", "a\nb\t", "ä\u2028", "x" * 2000, "%s"]
    with user.cursor() as cursor:
        cursor.executemany("INSERT INTO docs (a, body) VALUES (%s, 'text')", [(key,) for key in odd])
    assert_in_step(user, "docs", len(odd))
    user.execute("UPDATE docs SET body = 'changed ' || a")
    assert None not in logged(user, "UPDATE docs SET body = 'again ' || a")
    assert_in_step(user, "docs", len(odd))
    user.execute("UPDATE docs SET a = a || '#', body = 'moved'")
    assert_in_step(user, "docs", len(odd))
