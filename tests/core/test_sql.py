"""Every statement of app/sql: a header that says its purpose, and no % but that of a placeholder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app import db

FILES = sorted(Path(db.__file__).parent.joinpath("sql").glob("*.sql"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_statement_says_its_purpose_and_can_be_sent(path: Path) -> None:
    """The driver reads comments, too: a per cent sign there makes the statement fail when it is first needed."""
    text = path.read_text()
    assert text.startswith("-- Purpose: ")
    assert re.findall(r"%(?!\(\w+\)s|s)", text) == []
