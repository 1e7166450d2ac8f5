"""Texts of a claim to vectors: on an error the batch is halved until the failing rows stand alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.encoder import Encoder, UnencodableText
from app.errors import EncodingError
from app.plan import Text, Work
from app.queue import ChangeId, Failure, Result


@dataclass(frozen=True, slots=True)
class Embedded:
    """A claim with its vectors: what to write, what failed, and which changes therefore stay in the log."""

    work: Work
    results: tuple[Result, ...]
    matrix: NDArray[np.float32]  # (vectors, dims)
    failures: tuple[Failure, ...]
    fault: EncodingError | None = None  # the model is broken: no text is to blame, and nothing is to be written

    @property
    def unfinished(self) -> frozenset[ChangeId]:
        """The changes that hold a key that failed."""
        return frozenset(failure.claim.change for failure in self.failures)


def embed(work: Work, encoder: Encoder) -> Embedded:
    """Encode the texts of a claim; never raises for a text's sake."""
    vectors, failed = _encode(encoder, work.texts, work.source.prompt, work.source.largest)
    if work.texts and len(failed) == len(work.texts) and (cause := _cause(encoder)):
        fault = EncodingError(f"the model fails on every text, a harmless one too: {cause}")
        return Embedded(work, (), np.empty((0, encoder.dims), dtype=np.float32), (), fault)
    results = list(work.known)
    failures: list[Failure] = []
    rows: list[NDArray[np.float32]] = []
    for index, text in enumerate(work.texts):
        if index in failed:
            error = failed[index]
            message = f"{type(error).__name__}: {error}"[:500].replace(text.text, "…") if text.text else str(error)
            failures.append(Failure(text.claim, message, len(text.text), text.hash))
        else:
            results.append(Result(text.claim, text.hash, vector_row=len(rows)))
            rows.append(vectors[index])
    matrix = np.stack(rows) if rows else np.empty((0, encoder.dims), dtype=np.float32)
    return Embedded(work, tuple(results), matrix, tuple(failures))


def _encode(
    encoder: Encoder, texts: Sequence[Text], prompt: str, largest: float
) -> tuple[dict[int, NDArray[np.float32]], dict[int, Exception]]:
    """Vectors and errors by position. A batch that fails costs 2 log2(n) more calls for each row that is to blame."""
    vectors: dict[int, NDArray[np.float32]] = {}
    failed: dict[int, Exception] = {}
    parts = [list(range(len(texts)))] if texts else []
    while parts:
        part = parts.pop()
        try:
            matrix = encoder.encode([texts[i].text for i in part], prompt=prompt)
            fits = (np.abs(matrix) <= largest).all(axis=1)
            if not fits.all():  # pgvector would refuse the whole batch
                raise UnencodableText(int(np.argmin(fits)), f"the vector has a number that is not within {largest:.6g}")
            vectors.update(zip(part, matrix, strict=True))
        except UnencodableText as error:  # the encoder knows which
            failed[part[error.index]] = error
            rest = part[: error.index] + part[error.index + 1 :]
            parts += [rest] if rest else []
        except Exception as error:  # whatever a text makes a model raise, MemoryError too
            if len(part) == 1:
                failed[part[0]] = error
            else:
                parts += [part[: len(part) // 2], part[len(part) // 2 :]]
    return vectors, failed


def _cause(encoder: Encoder) -> str | None:
    """Why the model fails on a text that no model should fail on; None when it does not."""
    try:
        encoder.encode(["a"])
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return None
