"""mypy --strict over programs of a user: right ones have no error, and every wrong line has one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rowvec

pytestmark = pytest.mark.slow  # mypy reads the whole package
SNIPPETS = Path(__file__).parent / "snippets"


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, int]]:
    """Give the file and line of each error of one run, with a user's settings: none of ours, and torch left out."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n[mypy-torch.*]\nfollow_imports = skip\n")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", *map(str, sorted(SNIPPETS.glob("*.py")))]
    # mypy does not see an editable install of setuptools; a user's copy of rowvec is installed as a whole.
    environment = os.environ | {"MYPYPATH": str(Path(rowvec.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, env=environment)
    assert done.stderr == ""
    lines = [line.split(":") for line in done.stdout.splitlines() if ": error:" in line]
    return {(Path(path).name, int(number)) for path, number, *_ in lines}


@pytest.mark.parametrize("name", ["right_program.py", "right_vectors.py"])
def test_right_use(errors: set[tuple[str, int]], name: str) -> None:
    assert {found for found in errors if found[0] == name} == set()


def test_wrong_use(errors: set[tuple[str, int]]) -> None:
    lines = (SNIPPETS / "wrong.py").read_text().splitlines()
    wanted = {number for number, line in enumerate(lines, 1) if "# wrong" in line}
    assert {number for name, number in errors if name == "wrong.py"} == wanted
