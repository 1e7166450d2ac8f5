"""The daemon's own encoder on exported models: its ids, padding, kernels and prompts give the reference's vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rowvec.encode import kernels
from rowvec.encode.kernels import Kernel
from rowvec.encode.load import load as load_encoder
from rowvec.settings import Precision
from rowvec_export.exporter import export_model
from rowvec_export.texts import EDGES, GOLDEN
from tests.export import tiny
from tests.export.conftest import Export
from tests.export.tiny import ARCHITECTURES

TEXTS = [text for text in (*GOLDEN, *EDGES) if "\ud7ff" not in text]


needs_bf16 = pytest.mark.skipif(not kernels.bf16_supported(), reason="this CPU has no bf16")


def reference(folder: Path) -> Any:
    """sentence-transformers on the model's own folder."""
    from rowvec_export.backbone import quiet_loading

    with quiet_loading():
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta", "mpnet", "modernbert", "qwen3", "gemma3_text", "t5"])
def test_the_daemons_encoder_gives_the_same_vectors(architecture: str, exported: Export) -> None:
    made = exported(architecture)
    expected = reference(made.directory.parent / "source").encode(TEXTS, batch_size=8, show_progress_bar=False)
    loaded = load_encoder(made.directory, fingerprint=made.fingerprint, threads=1)
    try:
        assert np.abs(loaded.encode(TEXTS) - expected).max() <= 1e-5
    finally:
        loaded.close()


@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=needs_bf16)])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_rewritten_graph_gives_every_architectures_vectors(
    architecture: str, precision: Precision, exported: Export, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """Alone and in a batch, 1 to 40 tokens: the keys of attention are filled up in some lengths only."""
    made = exported(architecture)
    texts = [" ".join(GOLDEN)[: 4 * n] for n in range(1, 40)]
    found = []
    for kernel in (Kernel.PLAIN, Kernel.ONEDNN):
        monkeypatch.setattr("rowvec.encode.kernels.choose_exact", lambda _leaves, kernel=kernel: kernel)
        asked: Precision = "fp32" if kernel is Kernel.PLAIN else precision
        loaded = load_encoder(made.directory, precision=asked, threads=1)
        found.append((loaded.encode(texts), np.concatenate([loaded.encode([text]) for text in texts])))
        loaded.close()
    assert "fusion failed" not in caplog.text
    (plain, _), (together, alone) = found
    if precision == "fp32":
        assert max(np.abs(plain - together).max(), np.abs(plain - alone).max()) <= 1e-6
    else:
        assert min((plain * together).sum(axis=1).min(), (plain * alone).sum(axis=1).min()) >= 0.998


@pytest.mark.usefixtures("quick")
def test_a_query_prompt_that_is_not_pooled(tmp_path: Path) -> None:
    prompts = {"query": "compress the file: ", "document": ""}
    source = tiny.make(tmp_path / "source", "bert", prompts=prompts, include_prompt=False)
    made = export_model(str(source), tmp_path / "out")
    expected = reference(source).encode(TEXTS, prompt=prompts["query"], batch_size=8, show_progress_bar=False)
    loaded = load_encoder(made.directory, fingerprint=made.fingerprint, threads=1)
    try:
        got = loaded.encode(TEXTS, prompt=made.manifest["prompts"]["query"])
    finally:
        loaded.close()
    assert np.abs(got - expected).max() <= 1e-5
