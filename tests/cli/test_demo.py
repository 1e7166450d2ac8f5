"""The demo on few rows with the real model: complete, the same when run again, and safe to interrupt."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from rowvec.bench import docstrings
from rowvec.bench.docstrings import Docstring
from rowvec.cli import default_model, demo
from rowvec.database import embedded
from rowvec.settings import Settings
from tests.artefacts import minilm_artefact
from tests.servers import home_folder

ROOT = Path(__file__).parents[2]
ROWS = 150


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Give a home folder whose model is exported already."""
    with home_folder() as home:
        (home / "models").mkdir()
        (home / "models" / default_model.NAME).symlink_to(minilm_artefact())
        yield home


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """Give Ctrl-C back to pytest after the demo has taken it."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def run(home: Path) -> str:
    out = io.StringIO()
    with embedded.using(home) as url:
        demo.run(Settings(home=home), url, ROWS, Console(file=out, width=160))
    return out.getvalue()


def interrupt(home: Path, step: str) -> None:
    """Run it as a process until it prints a step, and press Ctrl-C."""
    environment = {**os.environ, "ROWVEC_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "rowvec", "demo", "--rows", str(ROWS)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(step):
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not embedded.is_running(home)


@pytest.fixture(scope="module")
def texts() -> list[Docstring]:
    """Read all docstrings once: to parse the standard library takes seconds."""
    return docstrings.public(10**6)


@pytest.mark.slow
def test_docstrings_are_many_and_unlike(texts: list[Docstring]) -> None:
    assert len(texts) >= 3_300
    assert len({text.title for text in texts}) == len({text.body for text in texts}) == len(texts)
    assert all(len(text.body) >= docstrings.SHORTEST for text in texts)
    assert {"gzip.compress", "calendar", "json.loads"} <= {text.title for text in texts[:3_300]}


@pytest.mark.slow
@pytest.mark.timeout(300)  # five runs of the demo
@pytest.mark.usefixtures("_ctrl_c")
def test_it_is_complete_and_the_same_again_after_ctrl_c_at_each_step(
    home: Path, texts: list[Docstring], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docstrings, "public", lambda limit: texts[:limit])
    for step in ("1.", "3.", "4."):
        interrupt(home, step)
    first, second = run(home), run(home)
    for shown in (first, second):
        assert re.search(r"INSERT -> vector: after \d+\.\d ms", shown)
        answers = re.split(r"SELECT \(hit\)\.title, distance FROM rowvec\.search\(", shown)[1:-1]
        assert len(answers) >= 5
        for answer in answers:
            hits = re.findall(r"^ .* (\S+) +(\d\.\d{4})\s*$", answer, re.MULTILINE)
            distances = [float(distance) for _, distance in hits]
            assert len(hits) >= 2, answer
            assert distances == sorted(distances), answer
        assert "a note of yours" in answers[-1].splitlines()[2], "the new row is what is nearest to its question"
    assert "rowvec.status" in second
    with embedded.using(home) as url, psycopg.connect(url) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM stdlib), count(*) FROM rowvec.stdlib_vectors WHERE embedding IS NOT NULL"
        ).fetchone()
    assert counts == (ROWS + 1, ROWS + 1)
