"""Real texts for measurements, from what every machine with Python has: the standard library's docstrings."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass

from rowvec.bench.docstrings import everything

_LONG_CHARACTERS = 1200  # about 250 tokens: the limit of all-MiniLM-L6-v2


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts to encode; `alone` ones are given one by one, as queries are."""

    name: str
    texts: tuple[str, ...]
    alone: bool = False


def corpora(scale: float = 1.0) -> list[Corpus]:
    """Return the four corpora: short texts, mixed ones, long ones, and texts alone. The same ones at every call.

    `scale` 1.0 is a few seconds each for sentence-transformers with all-MiniLM-L6-v2 on two cores.
    """
    found = docstrings()
    chance = random.Random(20)
    titles = sorted({text.splitlines()[0] for text in found})

    def some(texts: list[str], count: int) -> tuple[str, ...]:
        return tuple(chance.sample(texts, min(len(texts), max(1, round(count * scale)))))

    return [
        Corpus("short", some(titles, 768)),
        Corpus("mixed", some([text for text in found if "\n" in text], 320)),
        Corpus("long", some([text for text in found if len(text) >= _LONG_CHARACTERS], 64)),
        Corpus("alone", some(titles, 24), alone=True),
    ]


@functools.cache
def docstrings() -> tuple[str, ...]:
    """Return the different docstrings of the standard library, sorted; about 7,000, found in 3 seconds."""
    return tuple(sorted({docstring.body for docstring in everything()}))
