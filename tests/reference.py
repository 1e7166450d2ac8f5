"""Writes docs/reference/cli.md and settings.md from the code: `make docs`; a test holds them against the code."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from rowvec.cli.main import app
from rowvec.settings import Settings

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
HEADER = "<!-- Written by `make docs` from the code. -->\n\n"
HOME = "the user's data folder"


def cli() -> str:
    """Return the reference of the command line."""
    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    parts = [
        f"{HEADER}# Command line\n",
        f"{_text(root.help)}\n",
        f"{_text(root.epilog)}\n",
        *_commands(root, "rowvec"),
    ]
    return "\n".join(parts)


def settings() -> str:
    """Return the reference of the settings."""
    lines = [
        f"{HEADER}# Settings\n",
        "Each is an environment variable, or a key of the TOML file that `ROWVEC_CONFIG` names (default: `rowvec.toml`",
        "in the current folder), in lower case and without `ROWVEC_`. The environment wins.\n",
        "| variable | values | default | |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `ROWVEC_{name.upper()}` | {_values(field)} | {_default(field)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _commands(group: typer.core.TyperGroup, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield f"## {path} {name}\n\n{_text(command.help)}\n"
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"## {path} {name}\n\n{_text(command.help)}\n"
            yield from _parameters(command)


def _parameters(command: Any) -> Iterator[str]:
    rows = [f"| `{_name(p)}` | {_text(p.help)}{_value(p)} |" for p in command.params if not getattr(p, "hidden", False)]
    if rows:
        yield "\n".join(["| | |", "| --- | --- |", *rows, ""])


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {parameter.metavar or parameter.name.upper()}"


def _value(parameter: Any) -> str:
    if parameter.required:
        return " (required)"
    if parameter.default in (None, False, []) or parameter.param_type_name == "argument":
        return ""
    return f" Default: {'yes' if parameter.default is True else parameter.default}."


def _text(text: str | None) -> str:
    return re.sub(r"\s+", " ", (text or "").replace("|", "\\|")).strip()


def _values(field: FieldInfo) -> str:
    kinds: list[str] = []
    parts = (
        typing.get_args(field.annotation)
        if typing.get_origin(field.annotation) in (typing.Union, types.UnionType)
        else (field.annotation,)
    )
    for part in parts:
        if typing.get_origin(part) is typing.Literal:
            kinds += [f"`{value}`" for value in typing.get_args(part)]
        elif part is not type(None):
            known = {"SecretStr": "URL", "Path": "folder", "int": "integer", "float": "number"}
            kinds.append(known.get(getattr(part, "__name__", ""), str(part)))
    limits = {"ge": "at least", "gt": "above", "le": "at most"}
    for rule in field.metadata:
        kinds += [f"{words} {getattr(rule, name):g}" for name, words in limits.items() if hasattr(rule, name)]
    return ", ".join(kinds)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default is PydanticUndefined:
        return HOME
    return (
        ""
        if field.default is None
        else f"`{field.default:g}`"
        if isinstance(field.default, float)
        else f"`{field.default}`"
    )


if __name__ == "__main__":
    (FOLDER / "cli.md").write_text(cli())
    (FOLDER / "settings.md").write_text(settings())
