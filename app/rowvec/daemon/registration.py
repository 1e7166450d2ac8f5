"""A daemon's row in the table of daemons: it says which process it is and that it lives; claims carry its id."""

from __future__ import annotations

import logging
import socket

import psutil
from psycopg import Connection

from rowvec.database.statements import statement
from rowvec.database.translate import translated

log = logging.getLogger(__name__)

_SAME_START_SECONDS = 2.0  # a process's start is reckoned from the host's clock, which may be set a little meanwhile


class Registration:
    """This daemon's row and id."""

    def __init__(self) -> None:
        self.daemon_id = 0
        process = psutil.Process()
        self._process = {"name": socket.gethostname(), "pid": process.pid, "started": process.create_time()}

    def register(self, connection: Connection) -> None:
        """Get an id, and free at once what dead daemons of this host held, instead of waiting for their leases.

        A daemon is dead if its process is: the pid alone does not tell, since in a container every daemon may be pid 1,
        and one process may run two daemons; the pid and the start of the process do.
        """
        with translated():
            with connection.transaction():  # on disk, or a crash of the server could give our id to another daemon
                connection.execute("SET LOCAL synchronous_commit = on")
                row = connection.execute(statement("daemon/register"), self._process).fetchone()
            assert row is not None
            self.daemon_id = row[0]
            others = connection.execute(statement("daemon/predecessors"), {**self._process, "daemon": self.daemon_id})
            dead = [id_ for id_, pid, started in others.fetchall() if not _is_alive(pid, started)]
            if dead:
                freed = connection.execute(statement("daemon/free_predecessors"), {"dead": dead}).rowcount
                log.info("freed changes=%d of dead daemons=%s", freed, dead)

    def beat(self, connection: Connection, models: list[int]) -> None:
        """Say that this daemon lives, and which models it has."""
        with translated():
            values = {**self._process, "daemon": self.daemon_id, "models": models}
            connection.execute(statement("daemon/heartbeat"), values)

    def unregister(self, connection: Connection) -> None:
        """Remove the row."""
        with translated():
            connection.execute(statement("daemon/unregister"), {"daemon": self.daemon_id})


def _is_alive(pid: int, started: float) -> bool:
    """Return whether the process that had this pid and start (Unix time) still runs."""
    try:
        return abs(psutil.Process(pid).create_time() - started) < _SAME_START_SECONDS
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def is_alive(connection: Connection) -> bool:
    """Return whether a daemon of this host has a fresh heartbeat; a container has a host name of its own."""
    with translated():
        row = connection.execute(statement("daemon/alive"), [socket.gethostname()]).fetchone()
    return bool(row and row[0])
