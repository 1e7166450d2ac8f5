"""Writes docs/reference/cli.md, settings.md and python.md from the code: `make docs`; a test compares them with it."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import rowvec
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


def python() -> str:
    """Return the reference of `import rowvec`: the public names, by what they are."""
    names = {name: getattr(rowvec, name) for name in rowvec.__all__}
    records = [name for name, value in names.items() if dataclasses.is_dataclass(value)]
    errors = [name for name, value in names.items() if isinstance(value, type) and issubclass(value, Exception)]
    parts = [f"{HEADER}# Python\n", f"{inspect.getdoc(rowvec)}\n", _call("connect", rowvec.connect)]
    for name in ("Client", "Encoder"):
        parts.append(f"## {name}\n\n{inspect.getdoc(names[name])}\n")
        for method, member in vars(names[name]).items():
            if not method.startswith("_"):
                parts.append(_call(f"{name}.{method}", getattr(member, "__func__", member), depth=3))
    parts.append("## What is returned\n\nFrozen dataclasses, with the names that SQL uses.\n")
    for name in records:
        parts += [f"### {name}\n\n{inspect.getdoc(names[name])}\n", _fields(names[name])]
    parts.append(
        "## Errors\n\n`str(error)` says what happened, `error.hint` what to do, `error.__cause__` is the driver's"
        " error, where there is one.\n\n| error | is a | |\n| --- | --- | --- |"
    )
    parts += [f"| `{name}` | `{names[name].__base__.__name__}` | {_text(names[name].__doc__)} |" for name in errors]
    return "\n".join(parts) + "\n"


def _call(name: str, member: Callable[..., Any] | property, depth: int = 2) -> str:
    """Return a function's signature, one parameter a line where it is long, and its docstring."""
    if isinstance(member, property):
        return f"{'#' * depth} {name}\n\n{inspect.getdoc(member)}\n"
    signature = inspect.signature(member)
    parameters, keywords = [], False
    for each in list(signature.parameters.values()):
        if each.name in ("self", "cls"):
            continue
        if each.kind is each.KEYWORD_ONLY and not keywords:
            keywords = True
            parameters.append("*")
        stars = "**" if each.kind is each.VAR_KEYWORD else ""
        default = "" if each.default is each.empty else f" = {each.default!r}"
        parameters.append(f"{stars}{each.name}: {each.annotation}{default}")
    whole = ", ".join(parameters)
    if len(whole) > 80:
        whole = "".join(f"\n    {parameter}," for parameter in parameters) + "\n"
    code = f"{name}({whole}) -> {signature.return_annotation}"
    return f"{'#' * depth} {name}\n\n```python\n{code}\n```\n\n{inspect.getdoc(member)}\n"


def _fields(record: type) -> str:
    """Return a dataclass as a table; the comment behind a field says what it is."""
    found = re.findall(r"^    (\w+): ([^#\n]+?) *(?:# (.*))?$", inspect.getsource(record), re.MULTILINE)
    rows = [f"| `{name}` | `{_text(kind)}` | {_text(comment)} |" for name, kind, comment in found]
    return "\n".join(["| field | type | |", "| --- | --- | --- |", *rows, ""])


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
    (FOLDER / "python.md").write_text(python())
