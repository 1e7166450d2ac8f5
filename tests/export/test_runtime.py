"""The daemon's own encoder on exported models: its ids, padding, kernels and prompts give the reference's vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import encoder
from export.exporter import export_model
from export.texts import EDGES, GOLDEN
from tests.export import tiny
from tests.export.conftest import Export

TEXTS = [text for text in (*GOLDEN, *EDGES) if "\ud7ff" not in text]


def reference(folder: Path) -> Any:
    """sentence-transformers on the model's own folder."""
    from export.backbone import quiet_loading

    with quiet_loading():
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta", "mpnet", "modernbert", "qwen3", "gemma3_text", "t5"])
def test_the_daemons_encoder_gives_the_same_vectors(architecture: str, exported: Export) -> None:
    made = exported(architecture)
    expected = reference(made.directory.parent / "source").encode(TEXTS, batch_size=8, show_progress_bar=False)
    loaded = encoder.load(
        made.directory, fingerprint=made.fingerprint, precision="fp32", threads=1, max_batch_tokens=None
    )
    try:
        assert np.abs(loaded.encode(TEXTS) - expected).max() <= 1e-5
    finally:
        loaded.close()


@pytest.mark.usefixtures("quick")
def test_a_query_prompt_that_is_not_pooled(tmp_path: Path) -> None:
    prompts = {"query": "compress the file: ", "document": ""}
    source = tiny.make(tmp_path / "source", "bert", prompts=prompts, include_prompt=False)
    made = export_model(str(source), tmp_path / "out")
    expected = reference(source).encode(TEXTS, prompt=prompts["query"], batch_size=8, show_progress_bar=False)
    loaded = encoder.load(
        made.directory, fingerprint=made.fingerprint, precision="fp32", threads=1, max_batch_tokens=None
    )
    try:
        got = loaded.encode(TEXTS, prompt=made.manifest["prompts"]["query"])
    finally:
        loaded.close()
    assert np.abs(got - expected).max() <= 1e-5
