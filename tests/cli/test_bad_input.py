"""Bad input gets one clear line on stderr that says what to do, and the right exit code."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cli.conftest import Result, Rowvec


def refuses(result: Result, pattern: str, code: int = 1) -> None:
    assert result.code == code, result
    assert len(result.err.splitlines()) == 1, result.err
    assert result.err.startswith("rowvec: ")
    assert "Traceback" not in result.err
    assert re.search(pattern, result.err), result.err


def test_table_that_does_not_exist(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    refuses(rowvec("watch", "nowhere", "--text", "body"), 'relation "nowhere" does not exist')


def test_table_without_key(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    documents.execute("CREATE TABLE keyless (body text)")
    refuses(rowvec("watch", "keyless", "--text", "body"), "keyless.* key.*(PRIMARY KEY|primary key)")


def test_text_column_that_is_not_text(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    refuses(rowvec("watch", "documents", "--text", "size"), 'column "size" of documents is integer, not text.*template')


def test_column_that_does_not_exist(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    refuses(rowvec("watch", "documents", "--text", "bodi"), 'no column "bodi".*id, title, body, size')


def test_unknown_model(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    refuses(rowvec("watch", "documents", "--text", "body", "--model", "big"), 'no model "big".*tiny')


def test_no_model_at_all(url: str, connection: psycopg.Connection, rowvec: Rowvec) -> None:
    connection.execute("CREATE TABLE documents (id int PRIMARY KEY, body text)")
    refuses(rowvec("watch", "documents", "--text", "body"), "no default model.*rowvec model add")


def test_watched_twice(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    rowvec("watch", "documents", "--text", "body")
    refuses(rowvec("watch", "documents", "--text", "body"), "already watched")
    assert rowvec("watch", "documents", "--text", "body", "--if-not-exists").code == 0


@pytest.mark.parametrize("command", ["unwatch", "backfill", "wait", "retry"])
def test_unknown_source(documents: psycopg.Connection, rowvec: Rowvec, command: str) -> None:
    refuses(rowvec(command, "nowhere"), 'there is no source "nowhere"')


def test_wait_without_a_daemon(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    rowvec("watch", "documents", "--text", "body")
    refuses(rowvec("wait", "documents", "--timeout", "0"), "No daemon.*rowvec daemon")


def test_not_migrated(empty_database_url: str, monkeypatch: pytest.MonkeyPatch, rowvec: Rowvec) -> None:
    monkeypatch.setenv("ROWVEC_DATABASE_URL", empty_database_url)
    refuses(rowvec("status"), "rowvec migrate")


def test_no_pgvector(empty_database_url: str, monkeypatch: pytest.MonkeyPatch, rowvec: Rowvec) -> None:
    with psycopg.connect(empty_database_url) as connection:
        if connection.info.server_version < 180000:
            pytest.skip("only PostgreSQL 18 can be told to look for extensions elsewhere")
    nothing = make_conninfo(empty_database_url, options="-c extension_control_path=/nonexistent")
    monkeypatch.setenv("ROWVEC_DATABASE_URL", nothing)
    refuses(rowvec("migrate"), "does not have pgvector.*Install pgvector")


def test_role_that_may_not_create_extensions(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, rowvec: Rowvec
) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        database = connection.info.dbname
        connection.execute("DROP ROLE IF EXISTS rowvec_test_plain")
        connection.execute("CREATE ROLE rowvec_test_plain LOGIN PASSWORD 'plain'")
        connection.execute(f'GRANT CREATE ON DATABASE "{database}" TO rowvec_test_plain'.encode())
        monkeypatch.setenv(
            "ROWVEC_DATABASE_URL", make_conninfo(empty_database_url, user="rowvec_test_plain", password="plain")
        )
        refuses(rowvec("migrate"), "may not create the extension vector.*administrator")
        connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM rowvec_test_plain'.encode())
        connection.execute("DROP ROLE rowvec_test_plain")


@pytest.mark.container
def test_wrong_password(url: str, monkeypatch: pytest.MonkeyPatch, rowvec: Rowvec) -> None:
    monkeypatch.setenv("ROWVEC_DATABASE_URL", make_conninfo(url, password="hunter2-secret"))
    result = rowvec("status")
    refuses(result, "password authentication failed for user.*Check user and password", code=3)
    assert "hunter2" not in result.err


def test_server_that_is_down(rowvec: Rowvec, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and it refuses
        address = f"postgresql://me:hunter2-secret@127.0.0.1:{closed.getsockname()[1]}/x"
        monkeypatch.setenv("ROWVEC_DATABASE_URL", address)
        for command in (["status"], ["migrate"], ["daemon"], ["doctor"]):
            result = rowvec(*command)
            refuses(result, "refused.*Check ROWVEC_DATABASE_URL", code=3)
            assert "hunter2" not in result.err


def test_url_that_is_none(rowvec: Rowvec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWVEC_DATABASE_URL", "postgresql://me:hunter2-secret@[x/y")
    result = rowvec("status")
    refuses(result, "ROWVEC_DATABASE_URL", code=2)
    assert "hunter2" not in result.err


def test_database_that_does_not_exist(url: str, rowvec: Rowvec, monkeypatch: pytest.MonkeyPatch) -> None:
    assert conninfo_to_dict(url)["dbname"]
    monkeypatch.setenv("ROWVEC_DATABASE_URL", make_conninfo(url, dbname="nowhere"))
    refuses(rowvec("status"), 'database "nowhere" does not exist', code=3)


def test_missing_artefact(url: str, tmp_path: Path, rowvec: Rowvec) -> None:
    refuses(rowvec("model", "add", str(tmp_path / "none")), "none.*[Ee]xport")
    refuses(rowvec("model", "inspect", str(tmp_path)), "[Ee]xport")


def test_changed_artefact(url: str, tiny: Path, rowvec: Rowvec) -> None:
    (tiny / "tokenizer.json").write_text("{}")
    refuses(rowvec("model", "add", str(tiny)), "tokenizer.json.*sha256")


def test_another_model_of_the_same_name(documents: psycopg.Connection, tmp_path: Path, rowvec: Rowvec) -> None:
    from tests.artefacts import tiny_artefact

    other = tiny_artefact(tmp_path / "other", seed=1)
    manifest = other / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"tiny-1"', '"tiny-0"'))
    refuses(rowvec("model", "add", str(other)), 'another model is called "tiny-0".*--name')


@pytest.mark.slow
def test_model_that_is_not_there(tmp_path: Path, rowvec: Rowvec) -> None:
    (tmp_path / "empty").mkdir()
    result = rowvec("export", str(tmp_path / "empty"), "--out", str(tmp_path / "out"))
    refuses(replace(result, err=result.err.splitlines()[-1]), "empty.*weights")  # before it: what was being done


@pytest.mark.parametrize(
    ("name", "value"), [("ROWVEC_THREADS", "zero"), ("ROWVEC_PRECISION", "fp8"), ("ROWVEC_LEASE_SECONDS", "-1")]
)
def test_wrong_setting(rowvec: Rowvec, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    refuses(rowvec("status"), name, code=2)


def test_wrong_usage(rowvec: Rowvec) -> None:
    assert rowvec("watch").code == 2
    assert rowvec("nonsense").code == 2


def test_debug_shows_the_traceback(rowvec: Rowvec, monkeypatch: pytest.MonkeyPatch) -> None:
    from rowvec.errors import SettingsError

    monkeypatch.setenv("ROWVEC_THREADS", "zero")
    with pytest.raises(SettingsError):
        rowvec("--debug", "status")
