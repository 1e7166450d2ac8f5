"""Texts of a claim to vectors: on an error the batch is halved until the failing rows stand alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rowvec.database.sources import Source
from rowvec.encode.encoder import Encoder, UnencodableText
from rowvec.errors import EncodingError
from rowvec.flow.plan import Text, Work
from rowvec.flow.records import ChangeId, Failure, Piece, Result


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
    strings = [
        text.text[piece.start : piece.end] for text in work.texts for piece in text.pieces if piece.copied_from is None
    ]
    cut = np.zeros(len(strings), dtype=np.bool_)
    vectors, failed = _encode(encoder, strings, work.source, cut)
    if strings and len(failed) == len(strings) and (cause := _cause(encoder)):
        fault = EncodingError(f"the model fails on every text, a harmless one too: {cause}")
        return Embedded(work, (), np.empty((0, encoder.dims), dtype=np.float32), (), fault)
    results, failures = list(work.known), []
    kept: list[int] = []  # rows of `vectors`, by place in the matrix
    was_cut, stop = cut.tolist(), 0
    for text in work.texts:
        start, pieces = stop, []
        for piece in text.pieces:
            if piece.copied_from is None:
                row = len(kept) + stop - start
                piece = Piece(piece.start, piece.end, piece.hash, None, piece.text, row)  # replace() takes 3 us
                stop += 1
            pieces.append(piece)
        wrong = next((i for i in range(start, stop) if i in failed), None) if failed else None
        is_cut = True in was_cut[start:stop]
        if wrong is not None:  # a text is searchable with all its chunks, or as it was before
            failures.append(_failure(text, failed[wrong], strings[wrong]))
        elif is_cut and work.source.on_overflow == "error":
            failures.append(_too_long(text, work.source, encoder))
        else:
            results.append(Result(text.claim, text.hash, tuple(pieces), cut=is_cut))
            kept.extend(range(start, stop))
    matrix = vectors if len(kept) == len(vectors) else vectors[kept]
    return Embedded(work, tuple(results), matrix, tuple(failures))


def _failure(text: Text, error: Exception, culprit: str) -> Failure:
    """What is kept of an error: never the text."""
    message = f"{type(error).__name__}: {error}"
    return Failure(
        text.claim, message.replace(culprit, "…")[:500] if culprit else message[:500], len(text.text), text.hash
    )


def _too_long(text: Text, source: Source, encoder: Encoder) -> Failure:
    places, count = encoder.measure.starts(text.text, source.prompt)
    error = (
        f"the text has {count or len(places):,} tokens, and {source.model.name} takes {source.model.max_tokens}:"
        f" shorten it, or watch with on_overflow => 'truncate' or 'chunk', and replace => true; then rowvec.retry"
    )
    return Failure(text.claim, error, len(text.text), text.hash, final=True)


def _encode(
    encoder: Encoder, texts: Sequence[str], source: Source, cut: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], dict[int, Exception]]:
    """Vectors, and errors by position, where the row says nothing.

    A batch that fails costs 2 log2(n) more calls for each text that is to blame.
    """
    vectors = np.empty((len(texts), encoder.dims), dtype=np.float32)
    failed: dict[int, Exception] = {}
    parts = [list(range(len(texts)))] if texts else []
    while parts:
        part = parts.pop()
        part_cut = np.zeros(len(part), dtype=np.bool_)
        try:
            matrix = encoder.encode([texts[i] for i in part], prompt=source.prompt, truncated=part_cut)
            fits = (np.abs(matrix) <= source.largest).all(axis=1)
            if not fits.all():  # pgvector would refuse the whole batch
                message = f"the vector has a number that is not within {source.largest:.6g}"
                raise UnencodableText(int(np.argmin(fits)), message)
            vectors[part] = matrix
            cut[part] = part_cut
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
