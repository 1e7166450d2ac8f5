"""The tutorial and the README, followed word by word in psql: what they show is what is printed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from rowvec.admin import models
from rowvec.daemon import process
from rowvec.database.connection import libpq_environment
from rowvec.database.server_programs import binaries
from rowvec.settings import Settings
from tests.artefacts import minilm_artefact

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def psql(url: str, statements: str) -> str:
    """Return what psql prints for the statements, as in a terminal."""
    command = [str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "QUIET=off", "-f", "-"]
    environment = {name: value for name, value in libpq_environment(url).items() if name != "PAGER"}
    run = subprocess.run(command, input=statements, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/first-search.md"])
def test_what_it_shows_is_what_is_printed(page: str, database_url: str, connection: psycopg.Connection) -> None:
    artefact = minilm_artefact()
    models.add_model(connection, artefact, precision="fp32", default=True)
    blocks = [(kind, text) for kind, text in BLOCK.findall((ROOT / page).read_text()) if kind in ("sql", "text")]
    assert len(blocks) >= 6
    with process.background(Settings(model_dir=artefact.parent), database_url):
        for (kind, statements), (shown, expected) in zip(blocks[::2], blocks[1::2], strict=True):
            assert (kind, shown) == ("sql", "text")
            assert psql(database_url, statements).strip("\n") == expected.strip("\n")
