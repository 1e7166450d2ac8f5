"""What the rest of rowvec knows of a model: texts in, vectors out. torch is imported only when one is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from rowvec.encode.chunks import Measure
from rowvec.errors import EncodingError

if TYPE_CHECKING:
    pass


class Encoder(Protocol):
    """A model that is ready to run."""

    dims: int

    @property
    def measure(self) -> Measure:
        """What counts its tokens."""
        ...

    def encode(
        self, texts: Sequence[str], *, prompt: str = "", urgent: bool = False, cut: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Return the texts' vectors, float32 of shape (len(texts), dims), in the order given. Thread-safe.

        `prompt` is put before each text. `urgent` work (a query) overtakes whatever waits: it is behind one running
        micro-batch at most. Into `cut` it writes which texts were beyond the model's limit, and so cut there. A text's
        vector depends on the text alone. Raises EncodingError; where the text at fault is known, the error is an
        UnencodableText with its index.
        """
        ...


class UnencodableText(EncodingError):
    """The model gave no finite vector for one text."""

    def __init__(self, index: int, message: str) -> None:
        """Take the position of the first bad text in the list given to `encode`."""
        super().__init__(message)
        self.index = index
