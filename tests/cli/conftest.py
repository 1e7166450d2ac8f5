"""The command line in this process: what it prints, and how it exits."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from rowvec.cli.main import main
from tests.artefacts import tiny_artefact


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Rowvec(Protocol):
    """Runs a command."""

    def __call__(self, *arguments: str) -> Result:
        """Run `rowvec ARGUMENTS`."""


@pytest.fixture
def rowvec(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rowvec:
    """Give a function that runs a command and returns how it ended."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["rowvec", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as exited:
            code = exited.code if isinstance(exited.code, int) else 1
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the command line at the test's database, and return its URL."""
    monkeypatch.setenv("ROWVEC_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the artefact of a tiny model, in the model folder of the command line."""
    monkeypatch.setenv("ROWVEC_MODEL_DIR", str(tmp_path / "models"))
    return tiny_artefact(tmp_path / "models" / "tiny")


@pytest.fixture
def documents(url: str, tiny: Path, rowvec: Rowvec, connection: psycopg.Connection) -> psycopg.Connection:
    """Give a connection to a database with the tiny model as default and a table `documents` of three rows."""
    assert rowvec("model", "add", str(tiny), "--default").code == 0
    connection.execute("CREATE TABLE documents (id bigint PRIMARY KEY, title text, body text, size int)")
    connection.execute("INSERT INTO documents SELECT n, 'w' || n, 'w1 w2 w' || n, n FROM generate_series(1, 3) n")
    return connection
