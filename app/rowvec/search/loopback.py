"""Sets up the loop-back connection: dblink from the database to itself, by which a SELECT asks a daemon.

The connection stays open in the session that searches, and dblink lets that session run anything over it. So its role
may do nothing but ask: a role of its own, one a database, with a random password that only the foreign user mapping
holds. PostgreSQL shows a mapping's options to nobody but its owner and superusers.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

import psycopg
from psycopg import sql

from rowvec.errors import DatabaseError, RowvecError

SERVER = "rowvec_loopback"
CONNECT_SECONDS = 3
IDLE_SECONDS = 300  # the server then closes an idle loop-back connection; the next query opens one again

log = logging.getLogger("rowvec.loopback")


@dataclass(frozen=True, slots=True)
class Loopback:
    """How the server reaches itself."""

    host: str
    port: int
    user: str


def setup_loopback(
    connection: psycopg.Connection,
    *,
    host: str | None = None,
    port: int | None = None,
    user: str | None = None,
    password: str | None = None,
) -> Loopback:
    """Make the foreign server, the role and the mapping, and try the connection; run as the owner of schema rowvec.

    Host and port are as the *server* sees itself; what is not given is found by trying. Without `user`, a role
    `rowvec_loopback_<database's oid>` is made, which needs CREATEROLE; a given one must exist and have few rights.
    A connection that was set up before stays when this fails. Raises DatabaseError, never with the password in it.
    """
    tried: list[str] = []
    try:
        with connection.transaction():  # committed before the try: the server looks a password up in what is committed
            _extension(connection)
            name = user or _own_role(connection)
            _check_role(connection, name)
            secret = password or _known_password(connection, name) or secrets.token_urlsafe(24)
            if user is None:
                # The verifier, not the password, so that no log of statements can hold it.
                verifier = connection.pgconn.encrypt_password(secret.encode(), name.encode(), b"scram-sha-256")
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(verifier.decode()))
                )
            connection.execute("SELECT rowvec_internal.grant_loopback(%s)", (name,))
        for where, at in _places(connection, host, port):
            problem = _set_and_try(connection, (where, at, name, secret, CONNECT_SECONDS, IDLE_SECONDS))
            if problem is None:
                log.info("loop-back connection: %s:%d as %s", where, at, name)
                return Loopback(where, at, name)
            tried.append(f"{where}:{at}: {problem}")
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseError(
            f"the loop-back connection cannot be set up: {_one_line(error)}",
            hint="Run `rowvec setup-loopback` as a superuser, or name a role made for it: --user, --password.",
        ) from None
    except psycopg.Error as error:
        raise DatabaseError(f"the loop-back connection cannot be set up: {_one_line(error)}") from None
    raise DatabaseError(
        "the server cannot reach itself: " + "; ".join(tried),
        hint="Say how the server sees itself: --host, --port; pg_hba.conf must let the role in with a password.",
    )


def setup_if_possible(connection: psycopg.Connection) -> str | None:
    """Set the loop-back connection up where that needs nothing from the user; return why not, or None when it is there.

    What `migrate` calls: a connection that is there and works is left as it is.
    """
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_foreign_server WHERE srvname = %s),"
        " EXISTS (SELECT FROM pg_available_extensions WHERE name = 'dblink')",
        (SERVER,),
    ).fetchone()
    assert row is not None
    if not row[1]:
        return "the server has no dblink (contrib); text search needs the daemon on the server's machine"
    if row[0] and _try(connection) is None:
        return None
    try:
        setup_loopback(connection)
    except RowvecError as error:
        return error.with_hint
    return None


def _extension(connection: psycopg.Connection) -> None:
    if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'dblink'").fetchone() is None:
        connection.execute("CREATE EXTENSION dblink")


def _own_role(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert row is not None
    name = f"{SERVER}_{row[0]}"
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
    return name


def _check_role(connection: psycopg.Connection, name: str) -> None:
    """Refuse a role whose rights every session that searches would get."""
    row = connection.execute(
        "SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls"
        " OR pg_has_role(r.oid, n.nspowner, 'MEMBER') FROM pg_roles r, pg_namespace n"
        " WHERE r.rolname = %s AND n.nspname = 'rowvec'",
        (name,),
    ).fetchone()
    if row is None:
        raise DatabaseError(f'there is no role "{name}"', hint=f'CREATE ROLE "{name}" LOGIN PASSWORD …')
    if row[0]:
        raise DatabaseError(
            f'role "{name}" has rights that every session that searches would then have',
            hint="Name a role without any: CREATE ROLE … LOGIN PASSWORD …",
        )


def _places(connection: psycopg.Connection, host: str | None, port: int | None) -> list[tuple[str, int]]:
    """Return hosts and ports to try: what was given, else the server's sockets, localhost, the address we came by."""
    row = connection.execute(
        "SELECT current_setting('port')::int, host(inet_server_addr()), inet_server_port()"
    ).fetchone()
    assert row is not None
    if host:
        return [(host, port or row[0])]
    try:
        folders = connection.execute("SELECT current_setting('unix_socket_directories', true)").fetchone()
    except psycopg.errors.InsufficientPrivilege:  # shown to superusers and pg_read_all_settings only
        folders = None
    hosts = [folder.strip() for folder in (folders[0] if folders and folders[0] else "").split(",")]
    hosts = [folder for folder in hosts if folder.startswith("/")] + ["127.0.0.1"]
    found = [(each, port or row[0]) for each in hosts]
    if row[1]:
        found.append((row[1], row[2]))
    return list(dict.fromkeys(found))


def _known_password(connection: psycopg.Connection, role: str) -> str | None:
    """Return the password that the mapping has for this role, so that setting up again breaks no open session."""
    row = connection.execute(
        "SELECT max(option_value) FILTER (WHERE option_name = 'password'),"
        " max(option_value) FILTER (WHERE option_name = 'user')"
        " FROM pg_user_mappings m, pg_options_to_table(m.umoptions) WHERE m.srvname = %s",
        (SERVER,),
    ).fetchone()
    return row[0] if row and row[1] == role else None


def _set_and_try(connection: psycopg.Connection, values: tuple[str | int, ...]) -> str | None:
    """Set the server and the mapping, and try them; take them back, and return what is wrong, unless they work."""
    problem: str | None = None
    with connection.transaction():
        connection.execute("SELECT rowvec_internal.set_loopback(%s, %s, %s, %s, %s, %s)", values)
        problem = _try(connection)
        if problem is not None:
            raise psycopg.Rollback
    return problem


def _try(connection: psycopg.Connection) -> str | None:
    """Open the loop-back connection; return what is wrong with it, or None when it leads to this very database."""
    try:
        with connection.transaction():
            row = connection.execute("SELECT rowvec_internal.try_loopback()").fetchone()
    except psycopg.Error as error:
        return _one_line(error)
    return None if row and row[0] else "another server answers there"


def _one_line(error: psycopg.Error) -> str:
    primary = error.diag.message_primary or str(error)
    detail = error.diag.message_detail
    return " ".join(f"{primary}{f' ({detail})' if detail else ''}".split())
