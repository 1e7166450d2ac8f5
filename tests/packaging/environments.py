"""Environments that hold rowvec as its wheel, and of everything else exactly what its metadata asks for.

The other distributions are links to what this environment has: nothing is fetched, and nothing else can be imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def requirements(metadata: list[str], extra: str) -> set[str]:
    """Return the names of everything that these requirements ask for, with one extra, all the way down."""
    found: set[str] = set()
    waiting = [(text, extra) for text in metadata]
    while waiting:
        text, wanted = waiting.pop()
        needed = Requirement(text)
        if needed.marker is not None and not needed.marker.evaluate({"extra": wanted}):
            continue
        name = canonicalize_name(needed.name)
        if name == "rowvec":  # an extra that holds another: rowvec[cli]
            waiting += [(line, inner) for line in metadata for inner in needed.extras]
            continue
        for inner in ["", *needed.extras]:
            if f"{name}[{inner}]" not in found:
                found.add(f"{name}[{inner}]")
                waiting += [(line, inner) for line in distribution(name).requires or []]
    return {name.split("[")[0] for name in found}


def make(folder: Path, wheel: Path, metadata: list[str], extra: str = "") -> Path:
    """Make an environment with the wheel and its requirements; return its bin folder."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    for name in requirements(metadata, extra):
        for file in distribution(name).files or []:
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True, env=clean_environment())
    return folder / "bin"


def clean_environment(**variables: str) -> dict[str, str]:
    """Return the environment of a program that knows nothing of this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROWVEC_", "PYTHON", "PIP_"))}
    return {**kept, **variables}
