"""What the rest of rowvec knows of a model: texts in, vectors out. torch is imported only when one is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from app.chunk import Measure
from app.errors import EncodingError
from app.threads import tame_torch

if TYPE_CHECKING:
    from app.settings import Precision
    from app.torchscript import TorchScriptEncoder


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


def load(
    directory: Path,
    *,
    fingerprint: str | None,
    precision: Precision,
    threads: int | None,
    max_batch_tokens: int | None,
    device: str | None = None,
) -> TorchScriptEncoder:
    """Load an exported model, choose its fastest exact kernels on this machine, and prove it on its golden texts.

    With `fingerprint`, refuse any other model. `threads` is the total of CPU threads (default: what affinity and cgroup
    allow), `max_batch_tokens` the padded tokens of a micro-batch (default: chosen at load), `device` "cpu" or "cuda"
    (default: a GPU where there is one). Raises ArtefactError or ModelMismatch; SettingsError when bf16 is asked of a
    CPU that lacks it, or fp16 of any CPU.
    """
    tame_torch()
    from app.torchscript import TorchScriptEncoder  # imports torch: 1.3 s

    return TorchScriptEncoder.load(
        directory,
        fingerprint=fingerprint,
        precision=precision,
        threads=threads,
        max_batch_tokens=max_batch_tokens,
        device=device,
    )
