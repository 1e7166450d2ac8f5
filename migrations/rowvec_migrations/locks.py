"""Transactions that give up a lock that they cannot have soon, for others queue behind them, and say who holds it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import Connection

_IN_THE_WAY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('rowvec.migrate', 0))"
_HOLDER = """
    SELECT format('table %%s is locked by process %%s (%%s)', c.oid::regclass, l.pid,
                  concat_ws(', ', 'role ' || a.usename, nullif(a.application_name, ''), a.state,
                            'for ' || extract(epoch FROM now() - a.xact_start)::bigint || ' s'))
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND c.oid::bigint = ANY (%(tables)s::bigint[]) AND l.pid <> pg_backend_pid()
    ORDER BY a.xact_start NULLS LAST LIMIT 1"""


class Unfinished(Exception):
    """A part of the migration could not be done, for a lock or another reason; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one lock is waited for (writers queue behind us meanwhile), and how often the transaction is tried."""

    lock_seconds: float = 2.0
    tries: int = 4


def begin(connection: Connection, patience: Patience) -> None:
    """Wait for another migration to end, then wait for no lock longer than `patience` says, in this transaction."""
    connection.execute(_ONE_AT_A_TIME)
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{patience.lock_seconds * 1000:.0f}ms",))


@contextmanager
def transaction(url: str, patience: Patience) -> Iterator[Connection]:
    """A transaction of its own, begun as `begin` does."""
    with psycopg.connect(url) as connection:
        begin(connection, patience)
        yield connection


def tried(url: str, attempt: Callable[[], None], tables: str, patience: Patience) -> None:
    """Run `attempt`, a whole transaction, again while a lock is in its way; then raise Unfinished with who holds it.

    `tables` is a query for the oids of the tables that it locks.
    """
    for left in reversed(range(patience.tries)):
        try:
            return attempt()
        except _IN_THE_WAY as error:
            if not left:
                raise Unfinished(_holder(url, tables) or str(error).splitlines()[0]) from error
            time.sleep(patience.lock_seconds / 4)  # whoever queued behind us goes first


def _holder(url: str, tables: str) -> str | None:
    with psycopg.connect(url) as connection:
        oids = [oid for (oid,) in connection.execute(tables.encode()).fetchall()]
        row = connection.execute(_HOLDER, {"tables": oids}).fetchone()
    return row[0] if row else None
