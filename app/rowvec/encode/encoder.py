"""What the rest of rowvec knows of a model: texts in, vectors out. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rowvec.encode.chunks import Measure
from rowvec.errors import EncodingError


class Encoder(Protocol):
    """A model that is ready to run."""

    dims: int

    @property
    def measure(self) -> Measure:
        """What counts its tokens."""
        ...

    def encode(
        self,
        texts: Sequence[str],
        *,
        prompt: str = "",
        urgent: bool = False,
        truncated: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """Return the texts' vectors, float32 of shape (len(texts), dims), in the order given. Thread-safe.

        `prompt` is put before each text. `urgent` texts (a query) go before all that waits: they wait for one running
        micro-batch at most. `truncated`, bool of shape (len(texts),), is filled in: which texts had more tokens than
        the model's limit. A text's vector depends on the text alone. Raises EncodingError; where the text at fault is
        known, the error is an UnencodableText with its index.
        """
        ...


class UnencodableText(EncodingError):
    """The model gave no finite vector for one text."""

    def __init__(self, index: int, message: str) -> None:
        """Take the position of the first bad text in the list given to `encode`."""
        super().__init__(message)
        self.index = index
