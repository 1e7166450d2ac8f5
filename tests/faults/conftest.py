"""A watched table for the fault tests, and a PgBouncer in front of the test server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.running import SHAPES, add_fake_model
from tests.servers import Server, free_port, wait_for_server

TABLE = "CREATE TABLE docs (id int PRIMARY KEY, body text, views int DEFAULT 0)"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests of this folder: what fails of them `.ci/run` tries once more, for they kill under a clock."""
    if item.path.is_relative_to(Path(__file__).parent):
        item.add_marker("faults")


@pytest.fixture
def shape(request: pytest.FixtureRequest) -> str:
    """Give the shape of the source `docs`: a test's parameter where it has one, else vectors in their own table."""
    return str(getattr(request, "param", "table"))


@pytest.fixture
def docs(connection: psycopg.Connection, shape: str) -> psycopg.Connection:
    """Give a connection to a database with the fake model and a watched table `docs (id, body, views)`."""
    add_fake_model(connection)
    connection.execute(TABLE)
    connection.execute(f"SELECT rowvec.watch('docs', 'body'{SHAPES[shape]})".encode())
    return connection


def pgbouncer() -> str | None:
    """The program: PGBOUNCER, or where Debian puts it, or on the PATH."""
    return os.environ.get("PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@pytest.fixture
def pooler_url(server: Server, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Give the URL of the test's database through a PgBouncer in transaction mode, with two connections behind it."""
    program = pgbouncer()
    if program is None:
        pytest.skip("there is no PgBouncer: install it, or name it in PGBOUNCER")
    given = conninfo_to_dict(server.url)
    port = free_port()
    target = " ".join(f"{key}={given[key]}" for key in ("host", "port", "user", "password") if given.get(key))
    lines = [
        "[databases]",
        f"* = {target}",
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        f"listen_port = {port}",
        "unix_socket_dir =",
        "auth_type = any",
        "pool_mode = transaction",
        "default_pool_size = 2",
    ]
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if tuple(int(part) for part in version.split()[1].split(".")[:2]) >= (1, 21):  # before, it is not known
        lines.append("max_prepared_statements = 0")
    config = tmp_path / "pgbouncer.ini"
    config.write_text("\n".join(lines) + "\n")
    as_other = []
    if os.getuid() == 0:  # it refuses to be root; the embedded server's socket is for the server's user only
        folder = Path(str(given.get("host", "")))
        as_other = ["--user", next(folder.glob(".s.PGSQL.*")).owner() if folder.is_absolute() else "nobody"]
    if as_other:
        for path in (config, *list(config.parents)[:3]):
            path.chmod(0o755)
    process = subprocess.Popen([program, *as_other, "-q", str(config)], stderr=subprocess.DEVNULL)
    try:
        url = f"postgresql://postgres@127.0.0.1:{port}/{conninfo_to_dict(database_url)['dbname']}"
        wait_for_server(url, tries=100)
        yield url
    finally:
        process.kill()  # SIGTERM would wait for its clients
        process.wait(timeout=10)
