"""Insert a row, get a vector: rowvec's functions of PostgreSQL, called from Python.

```python
import rowvec
from psycopg import sql

with rowvec.connect("postgresql://…") as client:
    source = client.watch("documents", ["title", "body"])
    client.wait(source.name, timeout=30)
    for hit in client.search("documents", "how do I compress a file", filter=sql.SQL("lang = {}").format("en")):
        print(hit.key, hit.distance)
```

Names are imported when they are first used: `import rowvec` takes a millisecond, `rowvec.connect` imports psycopg, and
only `rowvec.Encoder` imports numpy and torch, which come with the extra [daemon].
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
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
            for needed in ("torch", "tokenizers", "numpy"):
                if find_spec(needed) is None:
                    error = import_module("rowvec.errors").SettingsError
                    raise error(f"rowvec.Encoder needs {needed}", hint="pip install 'rowvec[daemon]'")
        else:
            module = "rowvec.client" if name in import_module("rowvec.client").__all__ else "rowvec.errors"
        value = globals()[name] = getattr(import_module(module), name)
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
