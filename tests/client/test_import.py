"""`import rowvec`: quick, light, and with every public name."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import rowvec

HEAVY = ("torch", "numpy", "pydantic", "pydantic_settings", "sqlalchemy", "alembic", "typer", "rich", "tokenizers")


def test_import_is_quick_and_light() -> None:
    """The best of three, since another process may take the core; psycopg itself is most of it."""
    script = (
        "import sys, time; begin = time.perf_counter(); import rowvec; rowvec.connect, rowvec.Client, rowvec.Hit;"
        f"print(time.perf_counter() - begin); assert not set({HEAVY!r}) & set(sys.modules), sys.modules.keys()"
    )
    seconds = [
        float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(seconds) < 0.3, seconds


def test_every_public_name_is_there() -> None:
    for name in rowvec.__all__:
        assert getattr(rowvec, name).__doc__, name
        assert name in dir(rowvec)
    with pytest.raises(AttributeError, match="no attribute 'clinet'"):
        _ = rowvec.clinet  # type: ignore[attr-defined]


def test_the_encoder() -> None:
    from tests.artefacts import minilm_artefact

    with rowvec.Encoder.load(minilm_artefact()) as encoder:
        vectors = encoder.encode(["a text", "another"])
        assert vectors.shape == (2, encoder.dims)
        assert vectors.dtype == np.float32
        with pytest.raises(TypeError, match="list of texts"):
            encoder.encode("a text")
    with pytest.raises(rowvec.ArtefactError):
        rowvec.Encoder.load("/nowhere")
