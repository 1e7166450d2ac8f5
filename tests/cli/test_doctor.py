"""The doctor: each thing that can be wrong is found, and what is right is not reported as wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rowvec.admin.doctor import vector_finding
from tests.cli.conftest import Result, Rowvec


def finding(result: Result, subject: str) -> Any:
    return next(found for found in result.json if found["subject"] == subject)


@pytest.fixture
def watched(documents: psycopg.Connection, rowvec: Rowvec) -> psycopg.Connection:
    assert rowvec("watch", "documents", "--text", "body").code == 0
    return documents


def test_all_is_well(watched: psycopg.Connection, rowvec: Rowvec) -> None:
    result = rowvec("doctor", "--json")
    assert result.code == 0
    levels = {found["subject"]: found["level"] for found in result.json}
    assert levels.pop("daemon of tiny-0") == "warning", "no daemon runs"
    for depends_on_the_server in ("text in SQL", "pgvector"):
        assert levels.pop(depends_on_the_server) in ("fine", "warning")
    assert set(levels.values()) == {"fine"}
    assert {"server", "schema", "doorbell", "model tiny-0", "triggers of documents"} == set(levels)


def test_not_migrated(empty_database_url: str, monkeypatch: pytest.MonkeyPatch, rowvec: Rowvec) -> None:
    monkeypatch.setenv("ROWVEC_DATABASE_URL", empty_database_url)
    result = rowvec("doctor", "--json")
    assert result.code == 1
    assert finding(result, "schema")["do"] == "Run `rowvec migrate`."


@pytest.mark.parametrize("trigger", ["rowvec_1_update", "ALL"])
def test_disabled_trigger(watched: psycopg.Connection, rowvec: Rowvec, trigger: str) -> None:
    watched.execute(f"ALTER TABLE documents DISABLE TRIGGER {trigger}".encode())
    result = rowvec("doctor", "--json")
    assert result.code == 1
    assert "disabled" in finding(result, "triggers of documents")["says"]


def test_dropped_trigger(watched: psycopg.Connection, rowvec: Rowvec) -> None:
    watched.execute("DROP TRIGGER rowvec_1_insert ON documents")
    result = rowvec("doctor", "--json")
    assert finding(result, "triggers of documents")["level"] == "broken"


def test_artefact_not_here(watched: psycopg.Connection, tiny: Path, rowvec: Rowvec) -> None:
    shutil.rmtree(tiny)
    assert finding(rowvec("doctor", "--json"), "model tiny-0")["level"] == "warning"


def test_dead_letters(watched: psycopg.Connection, rowvec: Rowvec) -> None:
    watched.execute(
        "INSERT INTO rowvec_internal.dead (source_id, key, attempts, error, enqueued_at)"
        " SELECT id, '1', 5, 'poison', now() FROM rowvec_internal.source"
    )
    assert "1 dead letters" in finding(rowvec("doctor", "--json"), "source documents")["says"]


def test_daemon_of_this_host(watched: psycopg.Connection, rowvec: Rowvec) -> None:
    import socket

    assert rowvec("doctor", "--daemon").code == 1
    watched.execute("INSERT INTO rowvec_internal.daemon (name, pid) VALUES (%s, 1)", [socket.gethostname()])
    assert rowvec("doctor", "--daemon").code == 0
    watched.execute("UPDATE rowvec_internal.daemon SET heartbeat_at = now() - interval '1 minute'")
    assert rowvec("doctor", "--daemon").code == 1


@pytest.mark.parametrize(
    ("installed", "available", "level"),
    [
        (None, None, "broken"),
        (None, "0.8.5", "broken"),
        ("0.8.3", "0.8.5", "warning"),
        ("0.7", "0.8.5", "warning"),
        ("0.8.4", "0.8.4", "fine"),
        ("0.10.0", "0.10.0", "fine"),
    ],
)
def test_pgvector_version(installed: str | None, available: str | None, level: str) -> None:
    assert vector_finding(installed, available).level == level
