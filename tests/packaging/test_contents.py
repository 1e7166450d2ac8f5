"""What the wheel and the sdist hold: the three packages with their data, and nothing else."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

pytestmark = pytest.mark.slow
ROOTS = {"app": "rowvec", "export": "rowvec_export", "migrations": "rowvec_migrations"}
DATA = {".py", ".sql", ".mako", ".typed", ".txt"}


def sources() -> set[str]:
    """Return every file of the three packages, below its source root."""
    return {
        path.relative_to(ROOT / folder).as_posix()
        for folder, package in ROOTS.items()
        for path in (ROOT / folder / package).rglob("*")
        if path.is_file() and path.suffix in DATA
    }


def test_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = {name for name in names if ".dist-info/" in name}
    assert names - info == sources()
    assert {name.split("/", 1)[1] for name in info} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "top_level.txt",
    }
    for package in ROOTS.values():
        assert f"{package}/py.typed" in names


def test_sdist(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()}
    made = {"PKG-INFO", "setup.cfg"} | {name for name in names if ".egg-info/" in name}
    expected = {
        f"{folder}/{name}" for folder, package in ROOTS.items() for name in sources() if name.startswith(f"{package}/")
    }
    assert names - made == expected | {"LICENSE", "MANIFEST.in", "README.md", "pyproject.toml"}
