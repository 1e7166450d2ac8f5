"""Who may search: a role with SELECT on the table and USAGE on the schema, of the rows it may see, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.search.test_search import documents

__all__ = ["documents"]
VECTOR = "array_fill(0.5, ARRAY[16])::vector"


@pytest.fixture
def reader(connection: psycopg.Connection, database_url: str) -> Iterator[psycopg.Connection]:
    """Give a connection of a role with USAGE on schema rowvec and nothing more."""
    role = sql.Identifier(f"reader_{time.monotonic_ns()}")
    connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA rowvec TO {}").format(role))
    with psycopg.connect(database_url, autocommit=True) as opened:
        opened.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(role))
        yield opened
    connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
    connection.execute(sql.SQL("DROP ROLE {}").format(role))


def name(reader: psycopg.Connection) -> sql.Identifier:
    row = reader.execute("SELECT current_user").fetchone()
    assert row is not None
    return sql.Identifier(row[0])


def grant(connection: psycopg.Connection, reader: psycopg.Connection, table: str) -> None:
    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(table), name(reader)))


@pytest.mark.usefixtures("documents", "query_server")
def test_select_on_the_table_is_enough(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT * FROM rowvec.search('docs', 'cats')")
    assert reader.execute("SELECT * FROM rowvec.docs_vectors").fetchall() == []
    grant(connection, reader, "documents")
    for statement in (
        "SELECT key FROM rowvec.search('docs', 'cats', k => 2, filter => 'lang = ''en''')",
        "SELECT (hit).id::text FROM rowvec.search(NULL::documents, 'cats', k => 2)",
        "SELECT id::text FROM rowvec.docs_vectors ORDER BY embedding <=> rowvec.embed('cats') LIMIT 2",
    ):
        assert reader.execute(statement).fetchall() == [("2",), ("1",)]
    connection.execute(sql.SQL("REVOKE SELECT ON documents FROM {}").format(name(reader)))
    assert reader.execute("SELECT * FROM rowvec.docs_vectors").fetchall() == []


@pytest.mark.usefixtures("documents", "query_server")
def test_the_filter_runs_with_the_callers_rights(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    grant(connection, reader, "documents")
    connection.execute("CREATE TABLE secret (word text)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT * FROM rowvec.search('docs', 'cats', filter => 'EXISTS (SELECT FROM secret)')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(
            "SELECT * FROM rowvec.search('docs', 'cats', filter => 'EXISTS (SELECT FROM rowvec_internal.model)')"
        )


@pytest.mark.usefixtures("documents", "query_server")
def test_nothing_of_ours_is_open_to_the_reader(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    grant(connection, reader, "documents")
    reader.execute("SELECT rowvec.embed('cats')")
    for statement in (
        "SELECT * FROM rowvec_internal.query",
        "SELECT * FROM rowvec_internal.query_cache",
        "SELECT rowvec_internal.ask(1::smallint, '', 'x', 1::smallint)",
        "SELECT rowvec_internal.mailbox_folder()",
        "SELECT rowvec_internal.by_mailbox('/tmp', 1::smallint, '', 'x', 1::smallint, '1 s')",
        "SELECT rowvec_internal.remember_queries(1::smallint, '', '{x}', '{[1]}')",
        "UPDATE rowvec.docs_vectors SET chunk = 1",
        "SELECT rowvec_internal.try_loopback()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement)


@pytest.mark.usefixtures("documents", "query_server")
def test_row_level_security_holds(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    grant(connection, reader, "documents")
    connection.execute("ALTER TABLE documents ENABLE ROW LEVEL SECURITY")
    connection.execute("CREATE POLICY german ON documents USING (lang = 'de')")
    assert reader.execute("SELECT key FROM rowvec.search('docs', 'cats dogs')").fetchall() == [("6",), ("4",)]
    assert reader.execute("SELECT id FROM rowvec.docs_vectors ORDER BY id").fetchall() == [(4,), (6,)]
    assert len(connection.execute("SELECT key FROM rowvec.search('docs', 'cats dogs')").fetchall()) == 5


@pytest.mark.usefixtures("points")
def test_the_index_serves_a_role_without_rights(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    grant(connection, reader, "points")
    own = "SELECT p.id FROM rowvec.points_vectors v JOIN points p USING (id) ORDER BY v.embedding <=> {} LIMIT 9"
    lines = reader.execute(f"EXPLAIN {own.format(VECTOR)}").fetchall()
    assert any("points_vectors_embedding_idx" in line[0] for line in lines), lines


@pytest.mark.usefixtures("points")
def test_row_level_security_and_the_index(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    grant(connection, reader, "points")
    connection.execute("ALTER TABLE points ENABLE ROW LEVEL SECURITY")
    connection.execute("CREATE POLICY own ON points USING (part = 7)")
    for k, found in ((2, 2), (10, 3)):
        rows = reader.execute(f"SELECT key FROM rowvec.search('points', {VECTOR}, k => {k})").fetchall()
        assert len(rows) == found
        assert {int(row[0]) % 1000 for row in rows} == {7}


@pytest.mark.usefixtures("documents")
def test_the_users_table_stays_free(connection: psycopg.Connection) -> None:
    """The policies depend on nothing of the user's: the table can be changed and dropped."""
    connection.execute("ALTER TABLE documents RENAME TO papers")
    connection.execute("SELECT rowvec.pause('docs')")  # our triggers do name columns
    connection.execute("ALTER TABLE papers ALTER id TYPE bigint")
    connection.execute("ALTER TABLE papers RENAME id TO number")
    connection.execute("DROP TABLE papers")
    with pytest.raises(psycopg.errors.UndefinedTable, match="gone"):
        connection.execute(f"SELECT * FROM rowvec.search('docs', {VECTOR})")


@pytest.mark.usefixtures("documents")
def test_unwatch_closes_the_vectors(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    grant(connection, reader, "documents")
    assert len(reader.execute("SELECT * FROM rowvec.docs_vectors").fetchall()) == 5
    connection.execute("SELECT rowvec.unwatch('docs')")
    assert reader.execute("SELECT * FROM rowvec.docs_vectors").fetchall() == []
    connection.execute("SELECT rowvec.watch('documents', 'body', name => 'docs')")
    assert len(reader.execute("SELECT * FROM rowvec.docs_vectors").fetchall()) == 5
    connection.execute("SELECT rowvec.unwatch('docs', drop_vectors => true)")
    assert connection.execute("SELECT to_regclass('rowvec.docs_vectors')").fetchone() == (None,)
    assert connection.execute("SELECT count(*) FROM pg_proc WHERE proname ~ '^source_[0-9]'").fetchone() == (0,)


@pytest.mark.usefixtures("documents")
def test_a_renamed_table_is_followed(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    grant(connection, reader, "documents")
    connection.execute("ALTER TABLE documents ENABLE ROW LEVEL SECURITY")
    connection.execute("CREATE POLICY german ON documents USING (lang = 'de')")
    connection.execute("ALTER TABLE documents RENAME TO papers")
    connection.execute("SELECT rowvec_internal.keep_in_step()")  # the daemon does, every half minute
    assert len(reader.execute(f"SELECT * FROM rowvec.search('docs', {VECTOR})").fetchall()) == 2


@pytest.mark.usefixtures("documents")
def test_select_on_some_columns_is_an_error_not_an_empty_answer(
    connection: psycopg.Connection, reader: psycopg.Connection
) -> None:
    connection.execute(sql.SQL("GRANT SELECT (id, body) ON documents TO {}").format(name(reader)))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="documents"):
        reader.execute(f"SELECT * FROM rowvec.search('docs', {VECTOR})")
