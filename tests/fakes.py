"""The fake encoder of the tests: a vector is a hash of its text, so that "never stale" is checked to the bit."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from hashlib import blake2b
from threading import Event

import numpy as np
from numpy.typing import NDArray

from rowvec.encode.encoder import UnencodableText

DIMS = 8
MAX_TOKENS = 256
FINGERPRINT = "fake" * 16


def fake_vector(text: str) -> NDArray[np.float32]:
    """The vector of a text: eight small integers, exact in float32."""
    return np.frombuffer(blake2b(text.encode(), digest_size=DIMS).digest(), dtype=np.uint8).astype(np.float32) + 1


class WordMeasure:
    """Counts words, and two special tokens around them."""

    def places(self, text: str) -> list[int]:
        """Where the words begin."""
        return [match.start() for match in re.finditer(r"\S+", text)]

    def count(self, texts: Sequence[str], prompt: str = "") -> list[int]:
        """Words, those of the prompt too, and two."""
        return [len(self.places(prompt + text)) + 2 for text in texts]

    def starts(self, text: str, prompt: str = "") -> tuple[NDArray[np.int64], int | None]:
        """See `rowvec.encode.chunks.Measure`."""
        return np.array(self.places(text), dtype=np.int64), self.count([text], prompt)[0]


class HashEncoder:
    """Encodes by hash. Texts that hold a fault word do harm: RAISE, NAN, KILL (the process), as a poison text would."""

    dims = DIMS
    measure = WordMeasure()

    def __init__(self, *, faults: bool = False, gate: Event | None = None) -> None:
        """`faults` arms the fault words; `gate`, when given, holds every batch until it is set."""
        self.faults, self.gate = faults, gate
        self.calls: list[list[str]] = []

    def encode(
        self,
        texts: Sequence[str],
        *,
        prompt: str = "",
        urgent: bool = False,
        truncated: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """Return float32 (len(texts), 8)."""
        if truncated is not None:
            truncated[:] = [count > MAX_TOKENS for count in self.measure.count(texts, prompt)]
        self.calls.append(list(texts))
        if self.gate is not None:
            self.gate.wait(timeout=30)
        for index, text in enumerate(texts):
            if not self.faults:
                break
            if "KILL" in text:
                os._exit(9)
            if "RAISE" in text:
                raise RuntimeError("poison")
            if "NAN" in text:
                raise UnencodableText(index, "the vector is not finite")
        if not texts:
            return np.empty((0, DIMS), dtype=np.float32)
        return np.stack([fake_vector(prompt + text) for text in texts])
