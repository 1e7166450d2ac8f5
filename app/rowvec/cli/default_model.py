"""The model that `up` and `demo` begin with: exported from its packaged weights when it is not there yet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from psycopg import Connection

from rowvec.admin import models
from rowvec.cli.models import run_export
from rowvec.settings import Settings

NAME = "all-MiniLM-L6-v2"
# The exporter's own lines say enough; these libraries read their settings when they are imported.
QUIET = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


def ensure(connection: Connection, settings: Settings, say: Callable[[str], None]) -> None:
    """Export and add the default model, unless the catalogue has a default model that lies on this machine."""
    for row in models.models(connection, settings.models):
        if row.is_default and row.folder is not None:
            return
    models.add_model(connection, exported(settings, say), precision=settings.precision, default=True)


def exported(settings: Settings, say: Callable[[str], None]) -> Path:
    """Return the folder of the default model's artefact, exported now unless it lies there."""
    folder = settings.models / NAME
    if not (folder / "manifest.json").exists():
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        run_export(NAME, folder, say)
    return folder
