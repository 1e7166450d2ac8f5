"""The encoding thread: a claim's texts through the model, timed, with what a broken model means for its source."""

from __future__ import annotations

import time

from rowvec.flow.embed import Embedded, embed
from rowvec.flow.plan import Work
from rowvec.flow.shared import Shared


def encode_loop(shared: Shared) -> None:
    """Encode what comes, and hand it on, until None comes."""
    while (work := shared.to_encode.get()) is not None:
        shared.to_write.put(encode(shared, work))
    shared.to_write.put(None)


def encode(shared: Shared, work: Work) -> Embedded:
    """Encode a claim; a source whose model is broken is paused."""
    encoder = shared.encoder_of(work.source)
    assert encoder is not None  # encoders are never unloaded
    started = time.monotonic()
    embedded = embed(work, encoder)
    seconds = time.monotonic() - started
    if work.texts:
        shared.schedule[work.source.id].observe(work, len(embedded.matrix), seconds)
    shared.statistics.texts.inc(len(work.texts))
    shared.statistics.encode_seconds.inc(seconds)
    if embedded.fault:
        shared.schedule.pause(work.source, embedded.fault)
    return embedded
