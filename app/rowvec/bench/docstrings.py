"""The docstrings of Python's standard library: real texts, on every machine, for the demo and for measurements."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHORTEST = 40  # characters; below that a docstring says little more than its name
# Tests, applications and installed packages are not the library.
_LEFT_OUT = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "pydoc_data", "site-packages", "dist-packages"}


@dataclass(frozen=True, slots=True)
class Docstring:
    """A module, class or function: its dotted name, its docstring, and whether it can be reached by public names."""

    title: str
    body: str
    public: bool


def public(limit: int) -> list[Docstring]:
    """Return up to `limit` docstrings of public things, those with the fewest dots in their names first, no text twice.

    What is used most has the shortest names: modules, then their functions and classes, then methods.
    """
    found = (docstring for docstring in everything() if docstring.public and len(docstring.body) >= SHORTEST)
    by_text: dict[str, Docstring] = {}
    for docstring in found:
        by_text.setdefault(docstring.body, docstring)
    by_title = {docstring.title: docstring for docstring in by_text.values()}
    return [by_title[title] for title in sorted(by_title, key=lambda title: (title.count("."), title))[:limit]]


def everything() -> Iterator[Docstring]:
    """Yield every docstring, by file; about 10,000 in 3 seconds."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if _LEFT_OUT & set(parts):
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue  # a template, or a file for another version of Python
        names = parts[:-1] if parts[-1] == "__init__" else parts
        is_public = all(name.isidentifier() and not name.startswith("_") for name in names)
        yield from _of_node(tree, ".".join(names), is_public)


def _of_node(node: ast.AST, name: str, is_public: bool) -> Iterator[Docstring]:
    """Yield the docstrings of a statement and of those inside it; what is in a function or an `if` is not public."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
        text := ast.get_docstring(node)
    ):
        yield Docstring(name, text, is_public)
    is_public &= isinstance(node, ast.Module | ast.ClassDef)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _of_node(child, f"{name}.{child.name}", is_public and not child.name.startswith("_"))
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _of_node(child, name, False)
