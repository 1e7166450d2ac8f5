"""The catalogue from Python: add and list models, watch a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from rich.table import Table

from app import db
from app.errors import ArtefactError, ModelMismatch
from app.model import Manifest, find_artefact, read_manifest
from app.settings import Precision


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model of the catalogue."""

    name: str
    fingerprint: str
    precision: str
    dims: int
    max_tokens: int
    similarity: str
    is_default: bool
    sources: int
    folder: Path | None = None  # where its artefact lies on this machine

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


def add_model(connection: Connection, directory: Path, *, precision: Precision, default: bool) -> Manifest:
    """Add the model in `directory`, or make one that is there already the default.

    Raises ArtefactError when the folder is not a whole artefact, ModelMismatch when another model has its name.
    """
    manifest = read_manifest(directory)
    values = {
        "name": manifest.name,
        "fingerprint": manifest.fingerprint,
        "precision": precision,
        "dims": manifest.dims,
        "max_tokens": manifest.max_tokens,
        "similarity": manifest.similarity,
        "manifest": Jsonb(dict(manifest.raw)),
        "default": default,
    }
    with db.translated(), connection.transaction():
        if default:
            connection.execute(
                "UPDATE rowvec.model SET is_default = false WHERE is_default AND name <> %s", [manifest.name]
            )
        if connection.execute(db.statement("model_add"), values).fetchone() is None:
            raise ModelMismatch(
                f'another model is called "{manifest.name}" already',
                hint="Export it under another name: `rowvec export MODEL --name NAME --out DIR`.",
            )
    return manifest


def models(connection: Connection, folder: Path) -> list[ModelRow]:
    """Return the models of the catalogue, each with its artefact below `folder` where there is one."""
    with db.translated(), connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(db.statement("models")).fetchall()
    return [ModelRow(**row, folder=_folder(folder, row["fingerprint"])) for row in rows]


def table(rows: Sequence[ModelRow]) -> Table:
    """Return the models as a table for a terminal."""
    made = Table("model", "dims", "tokens", "similarity", "precision", "sources", "default", "fingerprint", "folder")
    for row in rows:
        folder = str(row.folder) if row.folder else "[red]not on this machine"
        default = "yes" if row.is_default else ""
        facts = (row.dims, row.max_tokens, row.similarity, row.precision, row.sources, default)
        made.add_row(row.name, *map(str, facts), row.fingerprint[:12], folder)
    return made


def watch(connection: Connection, table: str, columns: Sequence[str], **options: object) -> str:
    """Begin to watch a table; return the source's name. The options are those of SQL's rowvec.watch."""
    values = {
        "table": table,
        "columns": list(columns),
        "name": None,
        "model": None,
        "template": None,
        "into_column": None,
        "chunk_tokens": None,
        "chunk_overlap": 0,
        "backfill": True,
        "if_not_exists": False,
        "on_overflow": "truncate",
        "store_text": False,
        "document_prompt": None,
        "query_prompt": None,
        "replace": False,
        "index": None,
        **options,
    }
    with db.translated():
        row = connection.execute(db.statement("watch"), values).fetchone()
    return str(row[0]) if row else table


def _folder(models_folder: Path, fingerprint: str) -> Path | None:
    try:
        return find_artefact(models_folder, fingerprint)
    except ArtefactError:
        return None
