"""The PostgreSQL servers that tests run on: embedded, in a container, or one that ROWVEC_TEST_DATABASE_URL names."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg

from rowvec.database import embedded

IMAGE = "pgvector/pgvector:pg17"
PASSWORD = "rowvec-test"
SMALL_DISK = "/small"  # in a container: a file system of 24 MB, for tests that fill it
# A test server need not survive a power cut; crash() stops PostgreSQL, not the machine, so nothing is lost by it.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "logical"}


@contextmanager
def home_folder() -> Iterator[Path]:
    """Give a home folder for an embedded server, and remove it afterwards.

    Not in pytest's own folder: each run of pytest takes the rights of others on that away, and when root runs the
    tests the server belongs to another user.
    """
    with tempfile.TemporaryDirectory(prefix="rowvec-server-") as home:
        yield Path(home)


class Server(Protocol):
    """A PostgreSQL server with pgvector whose superuser we are."""

    kind: str
    url: str

    def restart(self) -> None:
        """Stop in good order and start again; connections break."""

    def crash(self) -> None:
        """Stop as a power cut does and start again; connections break."""

    def stop(self) -> None:
        """Stop in good order, for tests of a server that is away."""

    def start(self) -> None:
        """Start after stop; nothing happens when it runs."""

    def close(self) -> None:
        """End the server for good."""


class Embedded:
    """The embedded server, in a folder of the test session."""

    kind = "embedded"

    def __init__(self) -> None:
        self._open = ExitStack()
        self._home = self._open.enter_context(home_folder())
        self.url = self._open.enter_context(embedded.using(self._home, FAST))

    def restart(self) -> None:
        """Stop in good order and start again."""
        self.stop()
        self.start()

    def crash(self) -> None:
        """Stop at once, without a checkpoint, and start again."""
        embedded.stop_server(self._home, "immediate")
        self.start()

    def stop(self) -> None:
        """Stop in good order."""
        embedded.stop_server(self._home)

    def start(self) -> None:
        """Start unless it runs."""
        embedded.ensure_server(self._home, FAST)

    def close(self) -> None:
        """Stop it as its last user, and remove its folder."""
        self._open.close()


class Container:
    """A server in a container of the pgvector image: with contrib, on a TCP port that a restart keeps."""

    kind = "container"

    def __init__(self) -> None:
        from docker.types import Mount
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.container import DockerContainer

        testcontainers_config.ryuk_disabled = True  # its image would have to be fetched; close() removes the container
        settings = [part for name, value in FAST.items() for part in ("-c", f"{name}={value}")]
        port = free_port()
        container: Any = DockerContainer(IMAGE).with_env("POSTGRES_PASSWORD", PASSWORD)
        small = Mount(SMALL_DISK, None, type="tmpfs", tmpfs_size=24 << 20, tmpfs_mode=0o1777)
        self._container = (
            container.with_command(["postgres", *settings])
            .with_bind_ports(5432, port)
            .with_kwargs(mounts=[small])
            .start()
        )
        self.url = f"postgresql://postgres:{PASSWORD}@{self._container.get_container_host_ip()}:{port}/postgres"
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def restart(self) -> None:
        """Stop in good order and start again."""
        self._docker("restart")
        self._wait()

    def crash(self) -> None:
        """Kill every process of the container and start again."""
        self._docker("kill")
        self.start()

    def stop(self) -> None:
        """Stop in good order."""
        self._docker("stop")

    def start(self) -> None:
        """Start unless it runs."""
        self._docker("start")
        self._wait()

    def close(self) -> None:
        """Remove the container."""
        self._container.stop()

    def _docker(self, verb: str) -> None:
        name = self._container.get_wrapped_container().id
        subprocess.run(["docker", verb, name], check=True, capture_output=True, timeout=60)

    def _wait(self) -> None:
        wait_for_server(self.url)


class External:
    """A server that somebody else runs; it cannot be restarted from here."""

    kind = "external"

    def __init__(self, url: str) -> None:
        self.url = url
        self.restart = self.crash = self.stop = self.start = self._refuse

    def close(self) -> None:
        """Leave it as it is."""

    def _refuse(self) -> None:
        import pytest

        pytest.skip("the server of ROWVEC_TEST_DATABASE_URL cannot be restarted from here")


def wait_for_server(url: str, tries: int = 600) -> None:
    """Return when the server takes connections; raise the last error after about a minute."""
    retry(lambda: psycopg.connect(url, connect_timeout=2).close(), psycopg.OperationalError, tries)


def retry(action: Callable[[], None], error: type[Exception], tries: int, pause: float = 0.1) -> None:
    """Call until it does not raise `error`, with a pause between, and raise the last one when the tries are used up."""
    from threading import Event

    for attempt in range(tries):
        try:
            return action()
        except error:
            if attempt == tries - 1:
                raise
            Event().wait(pause)


def with_database(url: str, database: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def free_port() -> int:
    """A TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
