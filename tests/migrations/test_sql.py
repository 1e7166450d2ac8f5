"""SQL files: a statement says its purpose and can be sent; what sets the planner's switches compiles nothing."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import rowvec.sql
import rowvec_migrations

STATEMENTS = sorted(Path(rowvec.sql.__file__).parent.glob("*/*.sql"))
REPLACEABLE = Path(rowvec_migrations.__file__).parent / "sql"


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_a_statement_says_its_purpose_and_can_be_sent(path: Path) -> None:
    """The driver reads comments, too: a per cent sign there makes the statement fail when it is first needed."""
    text = path.read_text()
    assert text.startswith("-- Purpose: ")
    assert re.findall(r"%(?!\(\w+\)s|s)", text) == []


@pytest.mark.parametrize("root", [Path(rowvec.sql.__file__).parent, REPLACEABLE], ids=["rowvec", "migrations"])
def test_no_line_is_longer_than_120_characters(root: Path) -> None:
    files = [path for path in root.rglob("*") if path.name.endswith((".sql", ".sql.mako"))]
    assert len(files) > 30
    assert [(path.name, line) for path in files for line in path.read_text().splitlines() if len(line) > 120] == []


def test_every_file_is_applied_once() -> None:
    order = (REPLACEABLE / "order.txt").read_text().split()
    files = {str(path.relative_to(REPLACEABLE)) for path in REPLACEABLE.glob("*/*.sql*")}
    assert sorted(order) == sorted(file for file in files if not file.startswith("baseline/"))


def test_what_sets_the_planners_switches_compiles_nothing(connection: psycopg.Connection) -> None:
    """A plan that is off, and all there is, costs 1e10 to PostgreSQL 17: it was compiled, in 100 ms, for each call."""
    rows = connection.execute(
        "SELECT proname FROM pg_proc WHERE proconfig::text LIKE '%enable_%' AND NOT 'jit=off' = ANY (proconfig)"
    ).fetchall()
    assert rows == []
