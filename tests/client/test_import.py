"""`import rowvec`: quick, light, and with every public name."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import rowvec

HEAVY = ("torch", "numpy", "pydantic", "pydantic_settings", "sqlalchemy", "alembic", "typer", "rich", "tokenizers")


def test_import_is_quick_and_light() -> None:
    """In CPU time, which other processes do not lengthen; it takes 0.01 s, and 0.1 s with psycopg."""
    script = (
        "import sys, time; begin = time.process_time(); import rowvec; print(time.process_time() - begin)\n"
        f"rowvec.connect, rowvec.Client, rowvec.Hit; assert not set({HEAVY!r}) & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.3


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
