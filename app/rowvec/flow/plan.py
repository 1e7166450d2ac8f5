"""What a claim asks for: which texts or chunks to encode, which vectors to clear or keep, what to recheck; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rowvec.database.sources import Source
from rowvec.database.text_hash import text_hash
from rowvec.encode.chunks import Chunk, Measure, split
from rowvec.flow.records import ChangeId, Claim, Lane, PlannedChunk, Result


@dataclass(frozen=True, slots=True)
class Text:
    """A text that needs vectors, the chunks that they are made of, and the claim that it came with."""

    claim: Claim
    text: str
    hash: bytes
    chunks: tuple[PlannedChunk, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """A claim of one source and lane, sorted by what is to be done."""

    source: Source
    lane: Lane
    changes: tuple[ChangeId, ...]
    recheck: tuple[ChangeId, ...]
    texts: tuple[Text, ...]
    known: tuple[Result, ...]  # what can be written without the model

    @property
    def vectors(self) -> int:
        """How many vectors these texts have, the copied ones included."""
        return sum(len(text.chunks) for text in self.texts)


def plan(source: Source, lane: Lane, claims: Sequence[Claim], measure: Measure | None = None) -> Work:
    """Sort a claim. Claims come oldest first; of several for one key the newest counts.

    `measure` counts the tokens of a source whose texts are split into chunks; EncodingError when they cannot be.

    A live change always raises the version of its vector, even when the text is unchanged or gone: a slower claim that
    read an older text then finds another version and does not write. A backfill has no such change, so it leaves rows
    alone that are as they should be: a recheck of a table writes nothing where nothing differs.
    """
    newest: dict[str, Claim] = {}
    changes: dict[ChangeId, None] = {}
    recheck: dict[ChangeId, None] = {}
    for claim in claims:
        if claim.key is None:
            recheck[claim.change] = None
            continue
        changes[claim.change] = None
        newest[claim.key] = claim

    texts, known = [], []
    for claim in newest.values():
        text = claim.text
        hash_ = None if text is None else text_hash(text, source.identity)
        whole = not source.has_chunks or claim.stored.hold(text)
        if hash_ == claim.stored_hash and whole and (lane is Lane.BACKFILL or claim.version):
            if lane is Lane.LIVE:
                known.append(Result(claim, keep=True))
        elif text is None:
            known.append(Result(claim))
        else:
            assert hash_ is not None
            texts.append(Text(claim, text, hash_, _chunks(source, claim, text, measure)))
    return Work(source, lane, tuple(changes), tuple(recheck), tuple(texts), tuple(known))


def _chunks(source: Source, claim: Claim, text: str, measure: Measure | None) -> tuple[PlannedChunk, ...]:
    """Split a text as its source asks, and find the chunks that are stored already."""
    if not source.has_chunks:
        return (PlannedChunk(0, len(text)),)
    places = [Chunk(0, len(text))]
    if source.chunk_limit is not None:
        assert measure is not None  # the encoder's: whoever claims for a source has one
        places = split(text, measure, limit=source.chunk_limit, overlap=source.chunk_overlap, prompt=source.prompt)
    stored = {} if claim.stored.end == -1 else {hash_: number for number, hash_ in enumerate(claim.stored.hashes)}
    chunks = []
    for place in places:
        chunk = text[place.start : place.end]
        hash_ = text_hash(chunk, source.chunk_identity)
        kept_text = chunk if source.store_text else None
        chunks.append(PlannedChunk(place.start, place.end, hash_, stored.get(hash_), kept_text))
    return tuple(chunks)
