"""Sets up the loop-back connection: dblink from the database to itself, by which a SELECT asks a daemon.

The connection stays open in the session that searches, and dblink lets that session run anything over it. So its role
may do nothing but ask: a role of its own, one a database, with a random password that only the foreign user mapping
holds. PostgreSQL shows a mapping's options to nobody but its owner and superusers.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from rowvec.database.statements import statement
from rowvec.database.translate import first_line
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
            connection.execute("CREATE EXTENSION IF NOT EXISTS dblink")
            name = user or _own_role(connection)
            _check_role(connection, name)
            # The password that the mapping has for this role, so that setting up again breaks no open session.
            known = _value(connection, statement("search/loopback_password"), SERVER, name)
            secret = password or known or secrets.token_urlsafe(24)
            if user is None:
                # The verifier, not the password, so that no log of statements can hold it.
                verifier = connection.pgconn.encrypt_password(secret.encode(), name.encode(), b"scram-sha-256")
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(verifier.decode()))
                )
            connection.execute("SELECT rowvec_internal.grant_loopback(%s)", (name,))
        for place in _places(connection, host, port):
            problem = _set_and_try(connection, place, name, secret)
            if problem is None:
                log.info("loop-back connection: %s:%d as %s", *place, name)
                return Loopback(*place, name)
            tried.append(f"{place[0]}:{place[1]}: {problem}")
    except psycopg.Error as error:
        hint = None
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            hint = "Run `rowvec setup-loopback` as a superuser, or name a role made for it: --user, --password."
        raise DatabaseError(f"the loop-back connection cannot be set up: {_reason(error)}", hint=hint) from None
    raise DatabaseError(
        "the server cannot reach itself: " + "; ".join(tried),
        hint="Say how the server sees itself: --host, --port; pg_hba.conf must let the role in with a password.",
    )


def setup_if_possible(connection: psycopg.Connection) -> str | None:
    """Set the loop-back connection up if that needs nothing from the user; return why it is not there, or None.

    Called by `migrate`. A connection that is there and works is left as it is.
    """
    if not _value(connection, "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'dblink')"):
        return "the server has no dblink (contrib); text search needs the daemon on the server's machine"
    there = _value(connection, "SELECT EXISTS (SELECT FROM pg_foreign_server WHERE srvname = %s)", SERVER)
    if there and _try(connection) is None:
        return None
    try:
        setup_loopback(connection)
    except RowvecError as error:
        return error.with_hint
    return None


def _own_role(connection: psycopg.Connection) -> str:
    number = _value(connection, "SELECT oid::bigint FROM pg_database WHERE datname = current_database()")
    name = f"{SERVER}_{number}"
    if not _value(connection, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", name):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
    return name


def _check_role(connection: psycopg.Connection, name: str) -> None:
    """Refuse a role whose rights every session that searches would get."""
    has_rights = _value(connection, statement("search/loopback_role_has_rights"), name)
    if has_rights is None:
        raise DatabaseError(f'there is no role "{name}"', hint=f'CREATE ROLE "{name}" LOGIN PASSWORD …')
    if has_rights:
        raise DatabaseError(
            f'role "{name}" has rights that every session that searches would then have',
            hint="Name a role without any: CREATE ROLE … LOGIN PASSWORD …",
        )


def _places(connection: psycopg.Connection, host: str | None, port: int | None) -> list[tuple[str, int]]:
    """Return hosts and ports to try: what was given, else the server's sockets, localhost, the address we came by."""
    found = port or _value(connection, "SELECT current_setting('port')::int")
    if host:
        return [(host, found)]
    try:
        folders = _value(connection, "SELECT current_setting('unix_socket_directories', true)") or ""
    except psycopg.errors.InsufficientPrivilege:  # shown to superusers and pg_read_all_settings only
        folders = ""
    hosts = [folder.strip() for folder in folders.split(",") if folder.strip().startswith("/")]
    places = [(each, found) for each in (*hosts, "127.0.0.1")]
    if address := _value(connection, "SELECT host(inet_server_addr())"):
        places.append((address, _value(connection, "SELECT inet_server_port()")))
    return list(dict.fromkeys(places))


def _set_and_try(connection: psycopg.Connection, place: tuple[str, int], role: str, password: str) -> str | None:
    """Set the server and the mapping, and try them; take them back, and return what is wrong, unless they work."""
    problem: str | None = None
    with connection.transaction():
        values = (*place, role, password, CONNECT_SECONDS, IDLE_SECONDS)
        connection.execute("SELECT rowvec_internal.set_loopback(%s, %s, %s, %s, %s, %s)", values)
        problem = _try(connection)
        if problem is not None:
            raise psycopg.Rollback
    return problem


def _try(connection: psycopg.Connection) -> str | None:
    """Open the loop-back connection; return what is wrong with it, or None when it leads to this very database."""
    try:
        with connection.transaction():
            same = _value(connection, "SELECT rowvec_internal.try_loopback()")
    except psycopg.Error as error:
        return _reason(error)
    return None if same else "another server answers there"


def _value(connection: psycopg.Connection, query: Any, *values: object) -> Any:
    """Return the first column of the first row; None when there is no row."""
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def _reason(error: psycopg.Error) -> str:
    """What is wrong on one line, with the detail: dblink puts there why it cannot connect."""
    detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
    return " ".join(f"{first_line(error)}{detail}".split())
