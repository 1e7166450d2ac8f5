"""What a claim asks for: which texts to encode, which vectors to clear or keep, what to recheck; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.queue import ChangeId, Claim, Lane, Result
from app.sources import Source
from app.text import text_hash


@dataclass(frozen=True, slots=True)
class Text:
    """A text that needs a vector, and the claim that it came with."""

    claim: Claim
    text: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Work:
    """A claim of one source and lane, sorted out."""

    source: Source
    lane: Lane
    changes: tuple[ChangeId, ...]
    recheck: tuple[ChangeId, ...]
    texts: tuple[Text, ...]
    known: tuple[Result, ...]  # what can be written without the model


def plan(source: Source, lane: Lane, claims: Sequence[Claim]) -> Work:
    """Sort a claim out. Claims come oldest first; of several for one key the newest counts.

    A live change always leaves a mark on the vector's version, even when the text is as before, or gone: a slower claim
    that read an older text then finds another version and does not write. A backfill has no change to be true to, so
    it leaves rows alone that are as they should be: a recheck of a table writes nothing where nothing differs.
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
        if hash_ == claim.stored_hash and (lane is Lane.BACKFILL or claim.version):
            if lane is Lane.LIVE:
                known.append(Result(claim, keep=True))
        elif text is None:
            known.append(Result(claim))
        else:
            assert hash_ is not None
            texts.append(Text(claim, text, hash_))
    return Work(source, lane, tuple(changes), tuple(recheck), tuple(texts), tuple(known))
