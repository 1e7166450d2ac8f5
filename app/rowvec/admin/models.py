"""The models of the catalogue: add and list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from rich.table import Table

from rowvec.database.statements import rows, statement
from rowvec.database.translate import translated
from rowvec.encode.artefact import Manifest, find_artefact, read_manifest
from rowvec.errors import ArtefactError, ModelMismatch
from rowvec.settings import Precision


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


def add_model(connection: Connection, directory: Path, *, precision: Precision, default: bool) -> Manifest:
    """Add the model in `directory`, or make one that is there already the default.

    Raises ArtefactError when the folder is not a whole artefact, ModelMismatch when another model has its name.
    """
    manifest = read_manifest(directory)
    names = ("name", "fingerprint", "dims", "max_tokens", "similarity")
    values = {name: getattr(manifest, name) for name in names}
    values |= {"precision": precision, "manifest": Jsonb(dict(manifest.raw)), "default": default}
    with translated(), connection.transaction():
        if default:
            connection.execute(statement("admin/model_no_default"), values)
        if connection.execute(statement("admin/model_add"), values).fetchone() is None:
            raise ModelMismatch(
                f'another model is called "{manifest.name}" already',
                hint="Export it under another name: `rowvec export MODEL --name NAME --out DIR`.",
            )
    return manifest


def models(connection: Connection, folder: Path) -> list[ModelRow]:
    """Return the models of the catalogue, each with its artefact below `folder` where there is one."""
    known = rows(connection, class_row(ModelRow), statement("admin/models"))
    return [replace(row, folder=_folder(folder, row.fingerprint)) for row in known]


def table(models: Sequence[ModelRow]) -> Table:
    """Return the models as a table for a terminal."""
    made = Table("model", "dims", "tokens", "similarity", "precision", "sources", "default", "fingerprint", "folder")
    for row in models:
        folder = str(row.folder) if row.folder else "[red]not on this machine"
        default = "yes" if row.is_default else ""
        facts = (row.dims, row.max_tokens, row.similarity, row.precision, row.sources, default)
        made.add_row(row.name, *map(str, facts), row.fingerprint[:12], folder)
    return made


def _folder(models_folder: Path, fingerprint: str) -> Path | None:
    try:
        return find_artefact(models_folder, fingerprint)
    except ArtefactError:
        return None
