"""The commands on a real database: what they do, what they print, and their JSON."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import typer

from rowvec.cli.main import app
from tests.cli.conftest import Rowvec


def test_help_is_quick_and_needs_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['rowvec', '--help']; from rowvec.cli.main import app; app(standalone_mode=False)\n"
        "assert not {'torch', 'numpy', 'psycopg', 'sqlalchemy', 'pydantic', 'tokenizers'} & set(sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "Insert a row, get a vector." in shown.stdout


def test_everything_has_help() -> None:
    def commands(group: typer.core.TyperGroup, path: str) -> list[tuple[str, typer.core.TyperCommand]]:
        found: list[tuple[str, typer.core.TyperCommand]] = []
        for name, command in group.commands.items():
            if isinstance(command, typer.core.TyperGroup):
                found += commands(command, f"{path} {name}")
            else:
                assert isinstance(command, typer.core.TyperCommand)
                found.append((f"{path} {name}", command))
        return found

    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    listed = commands(root, "rowvec")
    assert len(listed) >= 18
    for path, command in listed:
        assert command.help, path
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{path} {parameter.name}"


def test_version(rowvec: Rowvec) -> None:
    shown = rowvec("--version")
    assert (shown.code, shown.out.split()[0]) == (0, "rowvec")


def test_migrate_twice(empty_database_url: str, monkeypatch: pytest.MonkeyPatch, rowvec: Rowvec) -> None:
    monkeypatch.setenv("ROWVEC_DATABASE_URL", empty_database_url)
    first, second = rowvec("migrate"), rowvec("migrate")
    assert (first.code, second.code) == (0, 0)
    assert first.out == second.out


def test_models(url: str, tiny: Path, rowvec: Rowvec) -> None:
    assert rowvec("model", "list", "--json").json == []
    added = rowvec("model", "add", str(tiny))
    assert added.code == 0
    (model,) = rowvec("model", "list", "--json").json
    assert (model["name"], model["is_default"], model["sources"]) == ("tiny-0", False, 0)
    assert Path(model["folder"]) == tiny
    assert rowvec("model", "add", str(tiny), "--default").code == 0, "adding again may make it the default"
    assert rowvec("model", "list", "--json").json[0]["is_default"] is True
    assert "tiny" in rowvec("model", "list").out


def test_default_moves_to_another_model(documents: psycopg.Connection, tmp_path: Path, rowvec: Rowvec) -> None:
    from tests.artefacts import tiny_artefact

    other = tiny_artefact(tmp_path / "other", seed=1)
    assert rowvec("model", "add", str(other), "--default").code == 0
    defaults = {model["name"]: model["is_default"] for model in rowvec("model", "list", "--json").json}
    assert defaults == {"tiny-0": False, "tiny-1": True}


def test_inspect_and_verify(tiny: Path, rowvec: Rowvec) -> None:
    assert rowvec("model", "inspect", str(tiny), "--json").json["name"] == "tiny-0"
    verified = rowvec("model", "verify", str(tiny))
    assert (verified.code, "right" in verified.out) == (0, True)


def test_from_watch_to_vectors(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    assert (
        rowvec("watch", "documents", "--text", "title", "--text", "body").out
        == "watching documents as source documents\n"
    )
    (status,) = rowvec("status", "--json").json
    assert (status["name"], status["state"], status["backfill"]) == ("documents", "active", "rows")
    assert rowvec("daemon", "--once").code == 0
    assert rowvec("wait", "documents").code == 0
    row = documents.execute("SELECT count(*) FROM rowvec.documents_vectors WHERE embedding IS NOT NULL").fetchone()
    assert row == (3,)
    assert "documents" in rowvec("status").out


def test_backfill_does_it_here_without_a_daemon(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    assert rowvec("watch", "documents", "--text", "body", "--name", "docs").code == 0
    assert rowvec("backfill", "docs").code == 0
    row = documents.execute("SELECT count(*) FROM rowvec.docs_vectors WHERE embedding IS NOT NULL").fetchone()
    assert row == (3,)
    assert rowvec("backfill", "docs").code == 0, "and again: nothing is left to do"


def test_backfill_embeds_what_was_left_out(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    assert rowvec("watch", "documents", "--text", "body", "--no-backfill").code == 0
    assert rowvec("backfill", "documents").code == 0
    missing = documents.execute(
        "SELECT count(*) FROM documents d LEFT JOIN rowvec.documents_vectors v USING (id)"
        " WHERE d.body IS NOT NULL AND v.embedding IS NULL"
    ).fetchone()
    assert missing == (0,)


@pytest.mark.usefixtures("query_server")
def test_search_shows_the_beginning_of_each_text(
    url: str, connection: psycopg.Connection, fill: Callable[[str], None], rowvec: Rowvec
) -> None:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.execute("SELECT rowvec.watch('notes', 'body')")
    connection.execute("INSERT INTO notes VALUES (1, E'compress  a\nfile'), (2, 'knit [socks]' || repeat(' x', 90))")
    fill("notes")
    [found] = rowvec("search", "notes", "compress", "-k", "1", "--json").json
    assert (list(found), found["key"], found["text"]) == (["key", "distance", "text"], "1", "compress a file")
    [other] = rowvec("search", "notes", "compress", "--filter", "id > 1", "--json").json
    assert (other["key"], len(other["text"])) == ("2", 80)
    assert "knit [socks]" in rowvec("search", "notes", "socks").out
    assert 'column "nothing"' in rowvec("search", "notes", "x", "--filter", "nothing = 1").err


def test_unwatch_keeps_or_drops_vectors(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    exists = "SELECT to_regclass('rowvec.documents_vectors') IS NOT NULL"
    for option, left in [("--drop-vectors", False), (None, True)]:
        assert rowvec("watch", "documents", "--text", "body").code == 0
        assert rowvec("unwatch", "documents", *([option] if option else [])).code == 0
        assert documents.execute(exists).fetchone() == (left,)


def test_index(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    rowvec("watch", "documents", "--text", "body")
    early = rowvec("index", "documents")
    assert (early.code, "backfill" in early.err) == (1, True)
    rowvec("daemon", "--once")
    built = rowvec("index", "documents", "--kind", "halfvec")
    assert built.code == 0, built.err
    name = built.out.split(":")[0]
    row = documents.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'rowvec' AND indexname = %s", [name])
    assert "hnsw" in str(row.fetchone())
    assert rowvec("index", "documents", "--text", "english").code == 0


@pytest.mark.slow
def test_verify_finds_and_repairs(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    rowvec("watch", "documents", "--text", "body")
    rowvec("daemon", "--once")
    assert rowvec("verify", "documents", "--json").json["rows"] == 3
    documents.execute("DELETE FROM rowvec.documents_vectors WHERE id = 2")
    found = rowvec("verify", "documents", "--json")
    assert (found.code, found.json["missing"]) == (1, 1)
    assert rowvec("verify", "documents", "--repair").code == 0
    rowvec("daemon", "--once")
    assert rowvec("verify", "documents").code == 0


def test_retry_counts_keys(documents: psycopg.Connection, rowvec: Rowvec) -> None:
    rowvec("watch", "documents", "--text", "body")
    documents.execute(
        "INSERT INTO rowvec_internal.dead (source_id, key, attempts, error, enqueued_at)"
        " SELECT id, k, 5, 'poison', now() FROM rowvec_internal.source, unnest(ARRAY['1', '2']) k"
    )
    assert rowvec("retry", "documents", "--key", "1").out == "1 keys will be tried again\n"
    assert rowvec("retry", "documents").out == "1 keys will be tried again\n"


@pytest.mark.slow
def test_default_model_is_exported_once(url: str, tmp_path: Path, connection: psycopg.Connection) -> None:
    from rowvec.cli import default_model
    from rowvec.settings import Settings
    from tests.artefacts import minilm_artefact

    folder = tmp_path / "models"
    folder.mkdir()
    (folder / default_model.NAME).symlink_to(minilm_artefact())
    settings, said = Settings(model_dir=folder), list[str]()
    default_model.ensure(connection, settings, said.append)
    default_model.ensure(connection, settings, said.append)
    assert said == [], "an artefact that lies there is taken as it is"
    row = connection.execute("SELECT name, dims, is_default FROM rowvec_internal.model").fetchall()
    assert row == [(default_model.NAME, 384, True)]
