"""Statements say their purpose, and have no % but that of a placeholder; functions set what they must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rowvec.sql
import rowvec_migrations

FUNCTIONS = sorted(Path(rowvec_migrations.__file__).parent.glob("sql/*/*.sql"))
FILES = sorted(Path(rowvec.sql.__file__).parent.glob("*/*.sql"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_statement_says_its_purpose_and_can_be_sent(path: Path) -> None:
    """The driver reads comments, too: a per cent sign there makes the statement fail when it is first needed."""
    text = path.read_text()
    assert text.startswith("-- Purpose: ")
    assert re.findall(r"%(?!\(\w+\)s|s)", text) == []


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_what_steers_the_planner_compiles_nothing(path: Path) -> None:
    """A plan that is off, and all there is, costs 1e10 to PostgreSQL 17: it was compiled, in 100 ms, for each call."""
    for settings in re.findall(r"LANGUAGE .*SET enable_.*", path.read_text()):
        assert "SET jit = off" in settings


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_the_owners_rights_come_with_a_search_path(path: Path) -> None:
    """Else whoever calls could have our functions call theirs."""
    for declared in re.findall(r"SECURITY DEFINER[^$]*\$", path.read_text()):
        assert "SET search_path = pg_catalog, pg_temp" in declared
