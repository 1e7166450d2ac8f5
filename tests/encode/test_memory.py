"""Memory: what 10,000 texts of mixed length take is what 1,000 take."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from rowvec.encode.torchscript import TorchScriptEncoder
from tests.artefacts import WORDS

_STATM = Path("/proc/self/statm")


def resident_megabytes() -> float:
    """Return the resident set of this process."""
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


@pytest.mark.slow
@pytest.mark.skipif(not _STATM.exists(), reason="reads Linux's /proc")
def test_memory_does_not_grow_with_the_number_of_texts_or_shapes(tiny: TorchScriptEncoder) -> None:
    """The limit of the product is 50 MB; the tiny model is given 20."""
    chance = random.Random(5)

    def encode(count: int) -> None:
        for _ in range(count // 100):
            tiny.encode([" ".join(chance.choices(WORDS, k=chance.randint(1, 400))) for _ in range(100)])

    encode(1_000)
    before = resident_megabytes()
    encode(9_000)
    assert resident_megabytes() - before < 20
