"""The wheel and the sdist, built once from a copy of the source tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.environments import clean_environment

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("app", "export", "migrations", "tests", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder with a wheel and an sdist, built by the build backend itself, without a network."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("dist")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(ROOT / name, tree / name)
    for kind in ("wheel", "sdist"):
        script = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
        subprocess.run(
            [sys.executable, "-c", script], cwd=tree, check=True, capture_output=True, env=clean_environment()
        )
    return out


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """Give the wheel."""
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> list[str]:
    """Give the requirements that the wheel's metadata declares."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist", [])
