"""How a text would be embedded: its chunks, their places and token counts; pure."""

from __future__ import annotations

import json

from rowvec.database.sources import Source
from rowvec.encode.chunks import Chunk, Measure, split


def preview(source: Source, text: str, measure: Measure) -> str:
    """Return JSON, a list of chunks, each with start and stop (in characters, half-open) and tokens (prompt and
    special ones counted).

    A text that the model truncates is one chunk: it stops where the model does, and counts all tokens of the text.
    """
    limit = source.model.max_tokens
    chunks = [Chunk(0, len(text))]
    if source.chunk_limit is not None:
        chunks = split(text, measure, limit=source.chunk_limit, overlap=source.chunk_overlap, prompt=source.prompt)
    counts = measure.count([text[chunk.start : chunk.end] for chunk in chunks], source.prompt)
    if len(chunks) == 1 and counts[0] > limit:
        starts, _ = measure.starts(text, source.prompt)
        (frame,) = measure.count([""], source.prompt)
        chunks = [Chunk(0, int(starts[limit - frame]))]
    pairs = zip(chunks, counts, strict=True)
    return json.dumps([{"start": chunk.start, "stop": chunk.end, "tokens": count} for chunk, count in pairs])
