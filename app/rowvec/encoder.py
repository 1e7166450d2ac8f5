"""`rowvec.Encoder`: an exported model in this process, for programs that want vectors without a database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from numpy.typing import NDArray

from rowvec.encode.load import load

if TYPE_CHECKING:
    from rowvec.encode.torchscript import TorchScriptEncoder


class Encoder:
    """A loaded model: texts in, vectors out, with the daemon's own numbers. Thread-safe; close it, or use `with`.

    Needs the extra [daemon]: without it, `rowvec.Encoder` raises SettingsError, which names the extra to install.
    """

    __slots__ = ("_loaded",)

    def __init__(self, loaded: TorchScriptEncoder) -> None:
        """Take a loaded model; `Encoder.load` is the way in."""
        self._loaded = loaded

    @classmethod
    def load(
        cls,
        directory: str | Path,
        *,
        precision: Literal["fp32", "bf16", "fp16"] = "fp32",
        threads: int | None = None,
        device: Literal["cpu", "cuda"] | None = None,
    ) -> Self:
        """Load the artefact that `rowvec export` wrote to `directory`, and prove it on its golden texts.

        - `precision`: fp32 is exact; bf16 and, on a GPU, fp16 are faster and lossy.
        - `threads`: CPU threads that inference may use; default: what affinity and cgroup allow.
        - `device`: default: a GPU where there is one.

        Raises `ArtefactError` where the folder is not a whole artefact, `SettingsError` where the machine lacks the
        precision.
        """
        return cls(load(directory, precision=precision, threads=threads, device=device))

    @property
    def dims(self) -> int:
        """How many numbers a vector has."""
        return self._loaded.dims

    def encode(self, texts: Sequence[str], *, prompt: str = "") -> NDArray[np.float32]:
        """Return the texts' vectors, float32 of shape (len(texts), dims), in the order given.

        `prompt` is put before each text. A text beyond the model's limit is encoded by its beginning. A text's vector
        depends on the text alone, not on what is encoded with it. Raises `EncodingError`.
        """
        if isinstance(texts, str):
            raise TypeError("texts is a list of texts, not one text: encode([text])")
        return self._loaded.encode(texts, prompt=prompt)

    def close(self) -> None:
        """End its threads."""
        self._loaded.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
