"""A row's columns to its text, and the text's hash; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from app.errors import SourceError

_TOKEN = re.compile(r"(\{\{|\}\}|\{[^{}]+\})")
SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class Template:
    """Literals and columns in turn: `literals[i]` stands before `columns[i]`, the last literal after them all."""

    literals: tuple[str, ...]
    columns: tuple[str, ...]

    @classmethod
    def parse(cls, template: str) -> Template:
        """Read `'{title}: {body}'`; `{{` and `}}` are braces. Raise SourceError for a brace that stands alone."""
        literals, columns = [""], []
        for token in _TOKEN.split(template):
            if token in ("{{", "}}"):
                literals[-1] += token[0]
            elif _TOKEN.fullmatch(token):
                columns.append(token[1:-1])
                literals.append("")
            elif "{" in token or "}" in token:
                raise SourceError(f"the template has a brace that is not closed, or not opened: {template!r}")
            else:
                literals[-1] += token
        return cls(tuple(literals), tuple(columns))

    @classmethod
    def of(cls, columns: Sequence[str], template: str | None) -> Template:
        """Return the template of a source: its own, or its columns one below the other, a blank line between."""
        if template is not None:
            return cls.parse(template)
        return cls(("", *[SEPARATOR] * (len(columns) - 1), ""), tuple(columns))

    def render(self, row: Mapping[str, str | None]) -> str | None:
        """Return the row's text, or None when it has none: every column NULL or blank.

        A column that is NULL or blank drops out with the literal before it (the first column: with the one after it).
        """
        text, used = "", False
        for literal, column in zip(self.literals, self.columns, strict=False):
            value = row[column]
            if value is None or not value.strip():
                continue
            text += (self.literals[0] if not used else literal) + value
            used = True
        if not used:
            return None
        return (text + self.literals[-1]).replace("\x00", "")


def identity(fingerprint: str, precision: str, prompt: str = "") -> bytes:
    """What a hash is bound to beside the text: the model, its precision, and the prompt put before the text."""
    return f"{fingerprint}/{precision}/{prompt}".encode()


def text_hash(text: str, bound_to: bytes) -> bytes:
    """Return 16 bytes, equal when text and identity are: another model's vector is so never taken for ours."""
    digest = blake2b(bound_to, digest_size=16)
    digest.update(b"\x00")
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()
