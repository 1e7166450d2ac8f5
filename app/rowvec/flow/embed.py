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
from rowvec.flow.records import ChangeId, Failure, PlannedChunk, Result


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
    """Encode the texts of a claim; an error of a text's is a Failure, never raised."""
    strings = [
        text.text[chunk.start : chunk.end] for text in work.texts for chunk in text.chunks if chunk.copied_from is None
    ]
    truncated = np.zeros(len(strings), dtype=np.bool_)
    vectors, failed = _encode(encoder, strings, work.source, truncated)
    if strings and len(failed) == len(strings) and (cause := _cause(encoder)):
        fault = EncodingError(f"the model fails on every text, a harmless one too: {cause}")
        return Embedded(work, (), np.empty((0, encoder.dims), dtype=np.float32), (), fault)
    results, failures = list(work.known), []
    kept: list[int] = []  # rows of `vectors`, by place in the matrix
    is_truncated, stop = truncated.tolist(), 0
    for text in work.texts:
        start, chunks = stop, []
        for chunk in text.chunks:
            if chunk.copied_from is None:
                row = len(kept) + stop - start
                chunk = PlannedChunk(chunk.start, chunk.end, chunk.hash, None, chunk.text, row)  # replace() takes 3 us
                stop += 1
            chunks.append(chunk)
        wrong = next((i for i in range(start, stop) if i in failed), None) if failed else None
        too_long = True in is_truncated[start:stop]
        if wrong is not None:  # a text is searchable with all its chunks, or as it was before
            failures.append(_failure(text, failed[wrong], strings[wrong]))
        elif too_long and work.source.on_overflow == "error":
            failures.append(_too_long(text, work.source, encoder))
        else:
            results.append(Result(text.claim, text.hash, tuple(chunks), truncated=too_long))
            kept.extend(range(start, stop))
    matrix = vectors if len(kept) == len(vectors) else vectors[kept]
    return Embedded(work, tuple(results), matrix, tuple(failures))


def _failure(text: Text, error: Exception, culprit: str) -> Failure:
    """Keep the message of an error without the text in it."""
    message = f"{type(error).__name__}: {error}"
    message = message.replace(culprit, "…") if culprit else message
    return Failure(text.claim, message[:500], len(text.text), text.hash)


def _too_long(text: Text, source: Source, encoder: Encoder) -> Failure:
    places, count = encoder.measure.starts(text.text, source.prompt)
    error = (
        f"the text has {count or len(places):,} tokens, and {source.model.name} takes {source.model.max_tokens}:"
        f" shorten it, or watch with on_overflow => 'truncate' or 'chunk', and replace => true; then rowvec.retry"
    )
    return Failure(text.claim, error, len(text.text), text.hash, final=True)


def _encode(
    encoder: Encoder, texts: Sequence[str], source: Source, truncated: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], dict[int, Exception]]:
    """Return float32 (len(texts), dims) and the errors by position, whose rows are undefined; fill `truncated`.

    A batch that fails costs 2 log2(n) more calls for each text that is to blame.
    """
    vectors = np.empty((len(texts), encoder.dims), dtype=np.float32)
    failed: dict[int, Exception] = {}
    batches = [list(range(len(texts)))] if texts else []
    while batches:
        batch = batches.pop()
        marks = np.zeros(len(batch), dtype=np.bool_)
        try:
            matrix = encoder.encode([texts[i] for i in batch], prompt=source.prompt, truncated=marks)
            fits = (np.abs(matrix) <= source.largest).all(axis=1)
            if not fits.all():  # pgvector would refuse the whole batch
                message = f"the vector has a number that is not within {source.largest:.6g}"
                raise UnencodableText(int(np.argmin(fits)), message)
            vectors[batch] = matrix
            truncated[batch] = marks
        except UnencodableText as error:  # the encoder knows which
            failed[batch.pop(error.index)] = error
            batches += [batch] if batch else []
        except Exception as error:  # whatever a text makes a model raise, MemoryError too
            if len(batch) == 1:
                failed[batch[0]] = error
            else:
                batches += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
    return vectors, failed


def _cause(encoder: Encoder) -> str | None:
    """Return why the model fails on a text that no model should fail on; None when it does not."""
    try:
        encoder.encode(["a"])
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return None
