"""The docstrings of Python's standard library, as texts for the demo: on every machine, and real."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHORTEST = 40  # characters; below that a docstring says little more than its name
# Tests and applications that come with Python are not its library.
LEFT_OUT = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "site-packages", "dist-packages", "ensurepip"}


@dataclass(frozen=True, slots=True)
class Docstring:
    """A public module, class or function: its dotted name and its docstring."""

    title: str
    body: str


def read(limit: int) -> list[Docstring]:
    """Return up to `limit` docstrings, those with the fewest dots in their names first, each text once."""
    by_text: dict[str, Docstring] = {}
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        for docstring in _of_file(path):
            if len(docstring.body) >= SHORTEST:
                by_text.setdefault(docstring.body, docstring)
    by_title = {docstring.title: docstring for docstring in by_text.values()}
    # What is used most has the shortest names: modules, then their functions and classes, then methods.
    return [by_title[title] for title in sorted(by_title, key=lambda title: (title.count("."), title))[:limit]]


def _of_file(path: Path) -> Iterator[Docstring]:
    parts = path.relative_to(sysconfig.get_path("stdlib")).with_suffix("").parts
    names = parts[:-1] if parts[-1] == "__init__" else parts
    if LEFT_OUT & set(parts) or any(not part.isidentifier() or part.startswith("_") for part in names):
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # a template, or a file for another version of Python
    yield from _of_node(tree, ".".join(names))


def _of_node(node: ast.Module | ast.ClassDef, name: str) -> Iterator[Docstring]:
    if text := ast.get_docstring(node):
        yield Docstring(name, text)
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            if isinstance(child, ast.ClassDef):
                yield from _of_node(child, f"{name}.{child.name}")
            elif text := ast.get_docstring(child):
                yield Docstring(f"{name}.{child.name}", text)
