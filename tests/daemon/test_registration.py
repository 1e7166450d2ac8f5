"""What a new daemon frees: the changes of dead processes of its host, never those of a process that lives."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import psycopg
import pytest

from rowvec.daemon.registration import Registration, is_alive
from rowvec.database.connection import connect


def exited() -> int:
    """The pid of a process that is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize("dead", ["exited", "our pid before a restart", "a pid that another process has now"])
def test_a_dead_daemon_is_freed(documents: psycopg.Connection, database_url: str, dead: str) -> None:
    pid = {"exited": exited(), "our pid before a restart": os.getpid()}.get(dead, os.getppid())
    with connect(database_url) as connection:
        first, second = Registration(), Registration()
        first.register(connection)
        documents.execute(
            "UPDATE rowvec_internal.daemon SET pid = %s, started_at = to_timestamp(%s)",
            (pid, psutil.Process().create_time() - 1e6),
        )
        documents.execute("SELECT rowvec.watch('documents', 'body', backfill => false)")
        documents.execute("INSERT INTO documents (body) VALUES ('held')")
        documents.execute(
            "UPDATE rowvec_internal.change SET daemon_id = %s, attempts = 1, visible_at = now() + interval '1 h'",
            (first.daemon_id,),
        )
        second.register(connection)
    freed = "SELECT daemon_id, attempts, visible_at <= now() FROM rowvec_internal.change"
    assert documents.execute(freed).fetchone() == (None, 1, True)
    assert documents.execute("SELECT id FROM rowvec_internal.daemon").fetchall() == [(second.daemon_id,)]


def test_two_daemons_of_one_process_do_not_free_each_other(documents: psycopg.Connection, database_url: str) -> None:
    with connect(database_url) as connection:
        first, second = Registration(), Registration()
        first.register(connection)
        documents.execute("DELETE FROM rowvec_internal.daemon")  # a crash of the server may lose the row
        first.beat(connection, [])
        second.register(connection)
        assert is_alive(connection)
    both = documents.execute("SELECT id FROM rowvec_internal.daemon ORDER BY id").fetchall()
    assert both == [(first.daemon_id,), (second.daemon_id,)]
