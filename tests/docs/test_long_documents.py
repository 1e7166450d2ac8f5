"""Whole licences and README files, in chunks, with the real model: the page and the example find passages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import psycopg
import pytest

from rowvec.admin import models
from rowvec.daemon import process
from rowvec.settings import Settings
from tests.artefacts import minilm_artefact

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "long-documents" / "search.py"
PAGE = ROOT / "docs" / "how-to" / "long-documents.md"


@pytest.mark.slow
def test_the_right_passage_is_shown(
    database_url: str,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    artefact = minilm_artefact()
    models.add_model(connection, artefact, precision="fp32", default=True)
    connection.execute("CREATE TABLE files (path text PRIMARY KEY, body text)")
    licence = (ROOT / "LICENSE").read_text("utf-8")
    connection.execute("INSERT INTO files VALUES ('demo/LICENSE', %s)", (licence,))
    watch, best, all_chunks, places, edit, status, replace = re.findall(
        r"^```sql\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    with process.background(Settings(model_dir=artefact.parent), database_url):
        connection.execute(watch.encode())
        connection.execute("CALL rowvec.wait('files', '60 s')")
        key, _, chunk, passage = connection.execute(best.encode()).fetchall()[0]
        start, end = next((s, e) for _, number, s, e in connection.execute(places.encode()) if number == chunk)
        assert (key, passage) == ("demo/LICENSE", licence[start:end])
        assert "does not grant permission to use the trade" in passage
        assert len(connection.execute(all_chunks.encode()).fetchall()) == 3
        for statement in (edit, replace):
            connection.execute(statement.encode())
            connection.execute("CALL rowvec.wait('files', '60 s')")
        assert connection.execute(status.encode()).fetchall() == [("files", 0)]

        connection.execute("SELECT rowvec.unwatch('files', drop_vectors => true)")
        connection.execute("TRUNCATE files")
        monkeypatch.setenv("ROWVEC_DATABASE_URL", database_url)
        spec = importlib.util.spec_from_file_location("long_documents", EXAMPLE)
        assert spec is not None
        assert spec.loader is not None
        example = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(example)
        files = [file for file in example.read(10**6) if len(file[1]) < 5_000]  # the longest take half a minute
        monkeypatch.setattr(example, "read", lambda count: files[:count])
        example.main(example.QUESTIONS, count=6)
    first, *answers = capsys.readouterr().out.split("\n\n")
    assert re.match(r"6 files of [\d,]+ characters in \d+ chunks", first)
    assert len(answers) == len(example.QUESTIONS)
    assert all(re.search(r"chunk \d+, 0\.\d{4}\n    \S", answer) for answer in answers)
