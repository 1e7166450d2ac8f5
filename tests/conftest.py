"""Fixtures of every test: a PostgreSQL server for the session and a database of its own for each test.

`--server embedded` (the default) starts the wheel's server in a temporary folder; `--server container` starts the
pgvector image with Docker; ROWVEC_TEST_DATABASE_URL names a server that is there already (its role must be a
superuser). No test sees the ROWVEC_* variables or the home folder of whoever runs it.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.servers import Container, Embedded, External, Server, home_folder, with_database

pytest_plugins = ("tests.fix_documents", "tests.fix_search")

FULL_SERVER = "needs --server container or ROWVEC_TEST_DATABASE_URL"
_TEST_URL = os.environ.get("ROWVEC_TEST_DATABASE_URL")
_numbers = itertools.count(1)
for _name in [name for name in os.environ if name.startswith("ROWVEC_")]:
    del os.environ[_name]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --server."""
    parser.addoption("--server", choices=["embedded", "container"], help="the PostgreSQL to test on (embedded)")


def _server_kind(config: pytest.Config) -> str:
    chosen: str | None = config.getoption("--server")
    return chosen or ("external" if _TEST_URL else "embedded")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which server the tests use; its version is known only when a test has needed it."""
    return f"rowvec server: {_server_kind(config)}; psycopg {psycopg.__version__}, libpq {psycopg.pq.version()}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a full server when there is only the embedded one, which has no contrib."""
    if _server_kind(config) != "embedded":
        return
    skip = pytest.mark.skip(reason=FULL_SERVER)
    for item in items:
        if item.get_closest_marker("container"):
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which server version the run was on, and which promises it could not check."""
    if version := config.stash.get(_VERSION, None):
        terminalreporter.write_line(f"rowvec server: {_server_kind(config)}, {version}")
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if FULL_SERVER in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"NOT CHECKED, {FULL_SERVER}:")
        for file, count in sorted(Counter(report.nodeid.split("::")[0] for report in skipped).items()):
            proves = ast.get_docstring(ast.parse((config.rootpath / file).read_text("utf-8"))) or ""
            terminalreporter.write_line(f"  {file}, {count}: {proves.splitlines()[0]}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that started this one, with pytest-xdist, the server's version."""
    output = getattr(session.config, "workeroutput", {})
    output["server"] = session.config.stash.get(_VERSION, None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what such a process has told."""
    if version := getattr(node, "workeroutput", {}).get("server"):
        node.config.stash[_VERSION] = version


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file of tests to one process, and all tests of faults to one, since they kill and freeze under a clock.

    Each process has its own server; the fixtures of a file are made once.
    """
    from xdist.scheduler import LoadFileScheduling

    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = lambda test: "faults" if test.startswith("tests/faults/") else test.split("::")[0]
    return scheduler


_VERSION = pytest.StashKey[str]()


@pytest.fixture
def server_home() -> Iterator[Path]:
    """Give a home folder for an embedded server of the test's own."""
    with home_folder() as home:
        yield home


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Give the session's server; a test that stops it must start it again."""
    kind = _server_kind(request.config)
    started: Server
    if kind == "container":
        started = Container()
    elif kind == "external":
        started = External(_TEST_URL or "")
    else:
        started = Embedded()
    try:
        with psycopg.connect(started.url) as connection:
            row = connection.execute(
                "SELECT version() || ', pgvector ' || coalesce((SELECT default_version FROM pg_available_extensions"
                " WHERE name = 'vector'), 'missing')"
            ).fetchone()
            request.config.stash[_VERSION] = row[0] if row else "unknown"
        yield started
    finally:
        started.close()


@pytest.fixture(scope="session")
def template_database(server: Server) -> Iterator[str]:
    """Give the URL of a database that was migrated once; CREATE DATABASE … TEMPLATE copies it in 30 ms."""
    with _database(server) as url:
        importlib.import_module("rowvec_migrations").upgrade(url)
        yield url


@pytest.fixture(scope="session")
def new_database(server: Server, template_database: str) -> Callable[[], AbstractContextManager[str]]:
    """Give a maker of migrated databases, for fixtures that live longer than a test; each gives its URL."""
    return lambda: _database(server, template_database)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, server: Server, template_database: str) -> Iterator[str]:
    """Give the URL of a migrated database of this test alone; a copy of `filled_database` where it asks for that."""
    template = "filled_database" if "filled_database" in request.fixturenames else "template_database"
    with _database(server, request.getfixturevalue(template)) as url:
        yield url


@pytest.fixture
def empty_database_url(server: Server) -> Iterator[str]:
    """Give the URL of a database that only this test uses, with nothing in it."""
    with _database(server) as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """Give an autocommit connection to the test's database, as the superuser."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep each test away from the home folder and the rowvec.toml of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ROWVEC_HOME", str(home))
    monkeypatch.setenv("ROWVEC_CONFIG", str(home / "none.toml"))
    return home


@contextmanager
def _database(server: Server, template_url: str | None = None) -> Iterator[str]:
    """Make a database, empty or as another one, give its URL, and drop it."""
    name = f"rowvec_test_{os.getpid()}_{next(_numbers)}"
    template = urlsplit(template_url).path[1:] if template_url else "template1"
    identifiers = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(server.url, autocommit=True) as connection:
        # By files it takes 0.02 s of the server's CPU; through the log, as is the default, 0.12 s.
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(*identifiers))
    yield with_database(server.url, name)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(*identifiers[:1]))
