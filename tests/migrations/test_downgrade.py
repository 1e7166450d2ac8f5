"""Revision 0002 can be taken back and made again, with a source watched meanwhile."""

from __future__ import annotations

import psycopg
import pytest

import rowvec_migrations


@pytest.mark.usefixtures("model_id")
def test_down_and_up_again(database_url: str, connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    connection.execute("SELECT rowvec.watch('t', 'body')")
    routines = "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'rowvec'::regnamespace ORDER BY 1"
    before = connection.execute(routines).fetchall()
    rowvec_migrations.downgrade(database_url, "0001")
    left = connection.execute(routines).fetchall()
    assert not [name for (name,) in left if "search" in name or "quer" in name or "visible" in name]
    rowvec_migrations.upgrade(database_url)
    assert connection.execute(routines).fetchall() == before
    assert len(connection.execute("SELECT FROM pg_policies WHERE tablename = 't_vectors'").fetchall()) == 2
    rowvec_migrations.downgrade(database_url)
    assert connection.execute(routines).fetchall() == []
