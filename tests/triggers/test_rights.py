"""Who writes: roles without any right on our schema, row-level security, serializable and two-phase transactions."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.checking import assert_in_step


@pytest.fixture
def app_role(user: psycopg.Connection) -> Iterator[str]:
    """Give a role that may write the table docs and nothing else; `docs` is watched."""
    role = f"{user.info.dbname}_app"
    user.execute("CREATE TABLE docs (id int PRIMARY KEY, owner text DEFAULT 'a', body text)")
    user.execute("SELECT rowvec.watch('docs', 'body')")
    user.execute(f"CREATE ROLE {role}")
    user.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON docs TO {role}")
    yield role
    user.execute("RESET ROLE; SET lock_timeout = 0")
    user.execute(f"DROP OWNED BY {role}")
    user.execute(f"DROP ROLE {role}")


def test_a_role_without_rights_on_our_schema_can_write(user: psycopg.Connection, app_role: str) -> None:
    user.execute(f"SET ROLE {app_role}")
    user.execute("SET search_path = pg_temp")  # and an unhelpful search_path
    user.execute("CREATE TEMPORARY TABLE change (source_id int)")  # a lure for a trigger that looks names up
    user.execute("INSERT INTO public.docs SELECT g, 'a', 'text ' || g FROM generate_series(1, 600) g")
    user.execute("UPDATE public.docs SET body = 'changed' WHERE id < 10")
    user.execute("DELETE FROM public.docs WHERE id > 500")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        user.execute("SELECT * FROM rowvec_internal.change")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        user.execute("SELECT rowvec_internal.source_1_row()")
    user.execute("RESET ROLE; RESET search_path")
    assert_in_step(user, "docs", 500)
    user.execute(f"SET ROLE {app_role}")
    user.execute("TRUNCATE docs")
    user.execute("RESET ROLE")
    assert_in_step(user, "docs", 0)


def test_row_level_security_hides_nothing_from_the_daemon(user: psycopg.Connection, app_role: str) -> None:
    user.execute("SET lock_timeout = 0")
    user.execute("ALTER TABLE docs ENABLE ROW LEVEL SECURITY")
    user.execute("ALTER TABLE docs FORCE ROW LEVEL SECURITY")
    user.execute("CREATE POLICY mine ON docs USING (owner = current_setting('app.me', true))")
    user.execute(f"SET ROLE {app_role}")
    for owner, first in (("a", 1), ("b", 11)):
        user.execute("SELECT set_config('app.me', %s, false)", (owner,))
        user.execute(
            "INSERT INTO docs SELECT g, %s, 'text ' || g FROM generate_series(%s::int, %s::int) g",
            (owner, first, first + 9),
        )
    user.execute("UPDATE docs SET body = 'seen by b'")
    user.execute("RESET ROLE")
    assert_in_step(user, "docs", 20)


def test_serializable_transactions_do_not_meet_in_our_tables(
    user: psycopg.Connection, app_role: str, database_url: str
) -> None:
    """Our triggers read and write shared tables; two users of different rows must not become a conflict by that."""
    del app_role
    user.execute("INSERT INTO docs SELECT g, 'a', 'text' FROM generate_series(1, 2000) g")
    with psycopg.connect(database_url) as one, psycopg.connect(database_url) as two:
        for turn in range(20):
            for connection, id_ in ((one, 1), (two, 1999)):
                connection.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
                connection.execute("SELECT body FROM docs WHERE id = %s", (id_,))
                connection.execute("UPDATE docs SET body = %s WHERE id = %s", (f"turn {turn}", id_))
            two.commit()
            one.commit()
    assert_in_step(user, "docs", 2000)
