"""Processes of the command line: up, psql beside it, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from rowvec.cli.default_model import NAME
from rowvec.database import embedded
from rowvec.database.connection import libpq_environment
from tests.artefacts import tiny_artefact

ROOT = Path(__file__).parent.parent.parent


COMMAND = [sys.executable, "-m", "rowvec"]


def start(environment: dict[str, str]) -> tuple[subprocess.Popen[str], list[str]]:
    """Start `up` and return it when it is ready, with what it has said."""
    up = subprocess.Popen([*COMMAND, "up"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    assert up.stderr is not None
    seen = []
    for line in up.stderr:
        seen.append(line)
        if " ready " in line:
            break
    return up, seen


def end(up: subprocess.Popen[str], number: int) -> None:
    """Send a signal, and see it end well."""
    up.send_signal(number)
    _, rest = up.communicate(timeout=60)
    assert up.returncode == 0, rest
    assert "stopped" in rest


@pytest.mark.slow
def test_up_and_psql_share_a_server(server_home: Path) -> None:
    tiny_artefact(server_home / "models" / NAME)
    environment = {**os.environ, "ROWVEC_HOME": str(server_home), "PYTHONUNBUFFERED": "1"}
    up, _ = start(environment)
    end(up, signal.SIGINT)
    assert not embedded.is_running(server_home)
    up, seen = start(environment)
    statements = (
        "CREATE TABLE documents (id int PRIMARY KEY, body text)",
        "SELECT rowvec.watch('documents', 'body')",
        "INSERT INTO documents VALUES (7, 'a bird in the hand')",
        "CALL rowvec.wait('documents')",
        "SELECT key FROM rowvec.search('documents', 'parrots', k => 1)",
    )
    arguments = [part for statement in statements for part in ("-c", statement)]
    asked = subprocess.run(
        [*COMMAND, "psql", "--", "-X", "-A", "-t", "-q", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, asked.stdout.splitlines()) == (0, ["documents", "7"]), (asked.stderr, seen)
    assert embedded.is_running(server_home), "psql was not the last user"
    end(up, signal.SIGTERM)
    assert not embedded.is_running(server_home)


def test_psql_shows_no_password_and_gives_its_exit_code(url: str) -> None:
    found = libpq_environment("postgresql://me:secret@example.org:6543/app?sslmode=require")
    wanted = {"PGHOST": "example.org", "PGPORT": "6543", "PGUSER": "me", "PGDATABASE": "app", "PGSSLMODE": "require"}
    assert wanted.items() <= found.items()
    assert found["PGPASSWORD"] == "secret"
    with psycopg.connect(url) as connection:
        assert connection.info.dbname in libpq_environment(url)["PGDATABASE"]
    environment = {**os.environ, "ROWVEC_DATABASE_URL": url}
    run = subprocess.run(
        [*COMMAND, "psql", "--", "-X", "-v", "ON_ERROR_STOP=1", "-c", "SELECT 1/0"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "division by zero" in run.stderr
