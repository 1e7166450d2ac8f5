"""rowvec: insert a row, get a vector. `rowvec.connect(url)` is where a program begins.

Names are imported when they are first used: `import rowvec` takes a millisecond, `rowvec.connect` imports psycopg,
and only `rowvec.Encoder` imports numpy and torch, which come with the extra [daemon].
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what type checkers see, and what __getattr__ finds
    from rowvec.client import Client, Hit, HybridHit, RowError, Source, SourceStatus, connect
    from rowvec.encoder import Encoder
    from rowvec.errors import (
        ArtefactError,
        DatabaseError,
        EncodingError,
        ExportRefused,
        ModelMismatch,
        RowvecError,
        ServerUnreachable,
        SettingsError,
        SourceError,
        WaitTimeout,
    )

__version__ = "0.1.0"
__all__ = [
    "ArtefactError",
    "Client",
    "DatabaseError",
    "Encoder",
    "EncodingError",
    "ExportRefused",
    "Hit",
    "HybridHit",
    "ModelMismatch",
    "RowError",
    "RowvecError",
    "ServerUnreachable",
    "SettingsError",
    "Source",
    "SourceError",
    "SourceStatus",
    "WaitTimeout",
    "connect",
]

if not TYPE_CHECKING:  # a type checker that saw it would accept any name

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used."""
        if name not in __all__:
            raise AttributeError(f"module 'rowvec' has no attribute {name!r}")
        if name == "Encoder":
            module = "rowvec.encoder"
        else:
            module = "rowvec.client" if name in import_module("rowvec.client").__all__ else "rowvec.errors"
        value = globals()[name] = getattr(import_module(module), name)
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
