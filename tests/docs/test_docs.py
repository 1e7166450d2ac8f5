"""The documentation says what the code does: references, links, and the words of the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/*.md")])


def test_cli_reference_is_fresh() -> None:
    assert (reference.FOLDER / "cli.md").read_text() == reference.cli(), "run `make docs`"


def test_settings_reference_is_fresh() -> None:
    assert (reference.FOLDER / "settings.md").read_text() == reference.settings(), "run `make docs`"


def test_python_reference_is_fresh() -> None:
    assert (reference.FOLDER / "python.md").read_text() == reference.python(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http://", "https://", "mailto:", "#")):
            assert (page.parent / target.split("#")[0]).exists(), target


def test_every_page_is_listed() -> None:
    listed = (ROOT / "docs" / "README.md").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name == "README.md" or f"({name})" in listed, f"docs/README.md does not list {name}"


def test_recipes_that_are_named_exist() -> None:
    recipes = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for named in re.findall(r"`make ([a-z]+)", page.read_text()):
            assert named in recipes, f"{page.name}: make {named}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_are_named_exist(page: Path) -> None:
    for path in re.findall(r"`((?:app|export|migrations|tests|docs|examples)/[\w./-]*)`", page.read_text()):
        assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_architecture_names_every_package() -> None:
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    for package in (ROOT / "app" / "rowvec").glob("*/__init__.py"):
        assert f"| `{package.parent.name}/` |" in page, f"architecture.md does not say what {package.parent.name} holds"
