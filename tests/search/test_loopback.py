"""The loop-back connection: set up, used by roles without rights, its password hidden, its role harmless."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import psycopg
import pytest
from psycopg import sql

import rowvec_migrations
from rowvec.errors import DatabaseError
from rowvec.search.loopback import Loopback, setup_if_possible, setup_loopback
from rowvec.search.query_server import QueryServer
from tests.fix_search import FakeEncoder
from tests.search.test_embed import as_array, embed
from tests.servers import Server

pytestmark = pytest.mark.container


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


@pytest.mark.usefixtures("query_server", "loopback")
def test_a_role_without_rights_gets_its_vector(reader: psycopg.Connection, encoder: FakeEncoder) -> None:
    assert np.array_equal(as_array(embed(reader, "who am I")), encoder.vector("who am I"))


@pytest.mark.usefixtures("query_server", "loopback")
def test_the_open_connection_lends_no_rights(reader: psycopg.Connection, connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE secret (word text)")
    embed(reader, "open it")
    for statement in (
        "TABLE secret",
        "SELECT * FROM rowvec_internal.query",
        "DELETE FROM rowvec_internal.model",
        "CREATE TABLE x (y int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT * FROM dblink('rowvec_loopback', %s) AS r(x text)", (statement,))


def test_nobody_else_reads_the_password(
    reader: psycopg.Connection, connection: psycopg.Connection, loopback: Loopback
) -> None:
    assert connection.execute(
        "SELECT array_to_string(umoptions, ',') ~ 'password=' FROM pg_user_mappings"
    ).fetchall() == [(True,)]
    assert reader.execute("SELECT umoptions FROM pg_user_mappings").fetchall() == [(None,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT * FROM pg_user_mapping")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT rowvec_internal.set_loopback('h', 1, 'u', 'p', 1, 1)")


@pytest.mark.usefixtures("query_server", "loopback")
def test_a_closed_connection_is_opened_again(connection: psycopg.Connection, encoder: FakeEncoder) -> None:
    embed(connection, "first")
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rowvec_loopback'"
    )
    assert np.array_equal(as_array(embed(connection, "second")), encoder.vector("second"))


@pytest.mark.usefixtures("query_server", "loopback")
def test_inside_a_transaction_at_any_isolation_level(database_url: str, encoder: FakeEncoder) -> None:
    with psycopg.connect(database_url) as other:
        other.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        other.read_only = True
        for text in ("one", "two"):
            assert np.array_equal(as_array(embed(other, text)), encoder.vector(text))


def test_setting_up_twice_and_by_migrate(connection: psycopg.Connection, loopback: Loopback) -> None:
    assert setup_if_possible(connection) is None
    assert setup_loopback(connection).user == loopback.user
    assert connection.execute("SELECT (rowvec_internal.query_way()).way").fetchone() == ("loopback",)


@pytest.mark.usefixtures("query_server", "loopback")
def test_what_works_stays_when_setting_up_again_fails(connection: psycopg.Connection, encoder: FakeEncoder) -> None:
    with pytest.raises(DatabaseError, match="cannot reach itself"):
        setup_loopback(connection, host="127.0.0.1", port=1)
    assert setup_if_possible(connection) is None
    assert np.array_equal(as_array(embed(connection, "still")), encoder.vector("still"))


def test_taking_the_revision_back_takes_it_away(connection: psycopg.Connection, database_url: str) -> None:
    made = setup_loopback(connection)
    rowvec_migrations.downgrade(database_url)
    assert connection.execute("SELECT FROM pg_foreign_server").fetchall() == []
    assert connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (made.user,)).fetchall() == []


def test_a_role_with_rights_is_refused(connection: psycopg.Connection) -> None:
    with pytest.raises(DatabaseError, match="has rights"):
        setup_loopback(connection, user="postgres", password="x")
    with pytest.raises(DatabaseError, match="no role"):
        setup_loopback(connection, user="nobody at all", password="x")


def test_a_wrong_place_is_refused_and_nothing_is_left(connection: psycopg.Connection) -> None:
    with pytest.raises(DatabaseError, match="cannot reach itself") as caught:
        setup_loopback(connection, host="127.0.0.1", port=1)
    assert "password=" not in str(caught.value)
    assert connection.execute("SELECT count(*) FROM pg_foreign_server").fetchone() == (0,)


@pytest.mark.usefixtures("model_id")
def test_without_it_the_error_says_what_to_do(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as caught:
        embed(connection, "text")
    assert "dblink" in (caught.value.diag.message_hint or "")


def test_an_owner_who_is_no_superuser(
    connection: psycopg.Connection, server: Server, empty_database_url: str, encoder: FakeEncoder
) -> None:
    """As on a managed server: an administrator makes the extensions, the owner of the database does the rest."""
    owner = f"owner_{time.monotonic_ns()}"
    database = urlsplit(empty_database_url).path[1:]
    with psycopg.connect(empty_database_url, autocommit=True) as admin:
        admin.execute("CREATE EXTENSION vector")
        admin.execute("CREATE EXTENSION dblink")
        admin.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'secret'")
        admin.execute(f"ALTER DATABASE {database} OWNER TO {owner}")
        admin.execute(f"GRANT CREATE ON SCHEMA public TO {owner}")
    parts = urlsplit(empty_database_url)
    url = urlunsplit(parts._replace(netloc=f"{owner}:secret@{parts.hostname}:{parts.port}"))
    rowvec_migrations.upgrade(url)
    with psycopg.connect(url, autocommit=True) as own:
        assert "dblink_fdw" in (setup_if_possible(own) or "")
        with psycopg.connect(empty_database_url, autocommit=True) as admin:
            admin.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO {owner}")
        assert setup_if_possible(own) is None
        made = own.execute(
            "SELECT 'rowvec_loopback_' || oid FROM pg_database WHERE datname = current_database()"
        ).fetchall()
        own.execute(
            "INSERT INTO rowvec_internal.model (name, fingerprint, dims, max_tokens, manifest, is_default)"
            " VALUES ('m', 'f', 16, 64, '{}', true)"
        )
        own.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
        own.execute("SELECT rowvec.watch('t', 'body')")
        queries = QueryServer(url, lambda _id: encoder, lambda: [1])
        queries.start()
        try:
            assert queries.wait_ready(20)
            assert np.array_equal(as_array(embed(own, "hello")), encoder.vector("hello"))
            own.execute("INSERT INTO t VALUES (1, 'x')")
            own.execute("INSERT INTO rowvec.t_vectors (id, embedding) VALUES (1, rowvec.embed('hello'))")
            assert own.execute("SELECT key FROM rowvec.search('t', 'hello')").fetchall() == [("1",)]
        finally:
            queries.stop()
    with psycopg.connect(empty_database_url, autocommit=True) as admin:
        for (role,) in [*made, (owner,)]:
            admin.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(sql.Identifier(role)))
            admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
