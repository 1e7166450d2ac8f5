"""How a text would be embedded: its chunks, their places and token counts; pure."""

from __future__ import annotations

import json

from rowvec.database.sources import Source
from rowvec.encode.chunks import Chunk, Measure, split


def preview(source: Source, text: str, measure: Measure) -> str:
    """Return JSON, a list of chunks, each with start and stop (in characters, half-open) and tokens (prompt and
    special ones counted).

    A text that is cut at the model's limit is shown up to there, with the tokens of all of it.
    """
    limit = source.model.max_tokens
    spans = [Chunk(0, len(text))]
    if source.chunk_limit is not None:
        spans = split(text, measure, limit=source.chunk_limit, overlap=source.chunk_overlap, prompt=source.prompt)
    counts = measure.count([text[span.start : span.end] for span in spans], source.prompt)
    if len(spans) == 1 and counts[0] > limit:
        starts, _ = measure.starts(text, source.prompt)
        (frame,) = measure.count([""], source.prompt)
        spans = [Chunk(0, int(starts[limit - frame]))]
    chunks = zip(spans, counts, strict=True)
    return json.dumps([{"start": span.start, "stop": span.end, "tokens": count} for span, count in chunks])
