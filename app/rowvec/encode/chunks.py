"""Split a long text into chunks that fit the model: at paragraphs, else sentences, lines, words, tokens. Pure.

The text is tokenized once, and where its tokens begin says how far a chunk may reach. Each chunk is then counted by
itself, as the encoder will see it, and made smaller where it has more tokens alone than inside the text.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rowvec.errors import EncodingError

_LEAST = 4  # tokens of text that a chunk must have room for, beside the prompt
_GROUP = 32  # chunks placed, then counted, together: after one that is too long, the rest of its group is placed again


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk's place in its text: characters from `start` up to, not including, `end`."""

    start: int
    end: int


class Measure(Protocol):
    """How a model counts tokens."""

    def count(self, texts: Sequence[str], prompt: str = "") -> list[int]:
        """Return each text's number of tokens, those of the prompt and special ones included, without a limit."""
        ...

    def starts(self, text: str, prompt: str = "") -> tuple[NDArray[np.int64], int | None]:
        """Return the character at which each token of the text begins, in ascending order, and the text's count.

        The count is None for a text so long that it was tokenized in sections: the places are then approximate.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Target:
    """The size of the next chunk: tokens of the text, how many of them are repeated; or characters."""

    tokens: int
    overlap: int
    characters: int | None = None

    def smaller(self, chunk: Chunk, over: int) -> _Target:
        """Return a target for a chunk that was `over` tokens too long: by a quarter at least, so that few tries do."""
        if self.tokens > 1:
            return replace(self, tokens=max(1, min(self.tokens - over, self.tokens * 3 // 4)))
        return replace(self, overlap=0, characters=(chunk.end - chunk.start) // 2)


def split(text: str, measure: Measure, *, limit: int, overlap: int = 0, prompt: str = "") -> list[Chunk]:
    """Split a text into chunks of `limit` tokens at most, prompt and special tokens included; in the text's order.

    A text within the limit is one chunk, unchanged; else no chunk begins or ends with a blank, and together they hold
    all characters that are not blank. Each repeats up to `overlap` tokens of the one before it. A chunk is beyond the
    limit only where a single character is. Raises EncodingError when the prompt leaves no room for text. Costs 3 us of
    CPU a token, where encoding takes 50 (all-MiniLM-L6-v2, bf16).
    """
    starts, total = measure.starts(text, prompt)
    if total is None and len(starts) < limit:
        (total,) = measure.count([text], prompt)
    if (total is not None and total <= limit) or not text.strip():
        return [Chunk(0, len(text))]
    (frame,), (bare,) = measure.count([""], prompt), measure.count([""])
    capacity = limit - frame  # tokens of the text itself
    if capacity < _LEAST:
        raise EncodingError(
            f"the prompt {prompt[:40]!r} has {frame} tokens, and a chunk may have {limit}",
            hint="Watch the table with a greater chunk_tokens, or a shorter document_prompt, and replace => true.",
        )
    places = _Places(text, starts)
    usual = target = _Target(capacity, min(overlap, capacity // 2))
    done: list[Chunk] = []
    while not done or done[-1].end < places.stop:
        group = places.group(done[-1] if done else None, target, usual)
        ends = [done[-1].end if done else 0, *(chunk.end for chunk in group[:-1])]  # of the chunk before each
        counts = measure.count([text[chunk.start : chunk.end] for chunk in group], prompt)
        laps = [bare] * len(group)
        if overlap:
            laps = measure.count([text[chunk.start : end] for chunk, end in zip(group, ends, strict=True)])
        for chunk, count, lap in zip(group, counts, laps, strict=True):
            if lap - bare > usual.overlap:  # by itself it has more tokens than inside the text
                target = replace(target, overlap=max(0, target.overlap - (lap - bare - usual.overlap)))
                break
            if count > limit and chunk.end - chunk.start > 1:
                # Each chunk of this text may be too long by as much, for a token at its beginning: lower all targets.
                usual = replace(usual, tokens=max(usual.tokens - (count - limit), capacity * 3 // 4))
                target = target.smaller(chunk, count - limit)
                break
            done.append(chunk)
            target = usual
    return done


class _Places:
    """Where a text may be split: at its tokens, better at its breaks, by their level."""

    def __init__(self, text: str, starts: NDArray[np.int64]) -> None:
        """Find the breaks: a chunk may end where a run of blanks begins, and one may begin where it ends."""
        self.text = text
        self.starts: list[int] = starts.tolist()
        letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        blank = _BLANK[np.minimum(letters, len(_BLANK) - 1)]
        edges = np.flatnonzero(np.diff(blank, prepend=False, append=False))
        ends, begins = edges[0::2], edges[1::2]  # of the runs of blanks
        lines = np.concatenate(([0], np.cumsum(_LINES[np.minimum(letters, len(_LINES) - 1)])))
        level = np.minimum(lines[begins] - lines[ends], 2) * _LINE
        level[level == 0] = _WORD
        stops = np.flatnonzero(np.isin(letters, _FULL_STOPS)) + 1  # without a blank behind it: a break, too
        stops = stops[~blank[np.minimum(stops, len(blank) - 1)]]
        before = letters[np.maximum(ends - 1, 0)]
        before = np.where(np.isin(before, _CLOSING), letters[np.maximum(ends - 2, 0)], before)
        after = letters[np.minimum(begins, len(letters) - 1)]
        sentence = (np.isin(before, _STOPS) | np.isin(before, _FULL_STOPS)) & ~((after >= 97) & (after <= 122))
        level[sentence] = np.maximum(level[sentence], _SENTENCE)
        self.first = int(begins[0]) if len(ends) and ends[0] == 0 else 0
        self.stop = int(ends[-1]) if len(ends) and begins[-1] == len(text) else len(text)
        self._blank: dict[int, int] = dict(zip(ends.tolist(), begins.tolist(), strict=True))
        ends, begins = np.concatenate((ends, stops)), np.concatenate((begins, stops))
        level = np.concatenate((level, np.full(len(stops), _SENTENCE)))
        order = np.argsort(begins, kind="stable")
        ends, begins, level = ends[order], begins[order], level[order]
        self._levels: list[tuple[list[int], list[int]]] = [
            (ends[level >= least].tolist(), begins[level >= least].tolist()) for least in _LEVELS
        ]

    def group(self, before: Chunk | None, target: _Target, usual: _Target) -> list[Chunk]:
        """Place the next chunks: the first by `target`, the others by the usual one."""
        chunks: list[Chunk] = []
        while len(chunks) < _GROUP and (before is None or before.end < self.stop):
            before = self._after(before, usual if chunks else target)
            chunks.append(before)
        return chunks

    def _after(self, before: Chunk | None, target: _Target) -> Chunk:
        fresh = self.first if before is None else self._blank.get(before.end, before.end)
        token = bisect_left(self.starts, fresh)
        start = self._repeat_from(before, fresh, token, target.overlap) if before is not None else fresh
        if target.characters is not None:
            return Chunk(fresh, self._whole(min(fresh + max(1, target.characters), self.stop), fresh))
        last = bisect_left(self.starts, start) + target.tokens
        if last <= token:  # what is repeated would fill it
            start, last = fresh, token + target.tokens
        if last >= len(self.starts):
            return Chunk(start, self.stop)
        most = max(self.starts[last], fresh + 1)
        # A break is taken if it leaves the chunk at least half full; between words, however little it leaves.
        least = self.starts[token + (last - token) // 2]
        for ends, _ in self._levels:
            place = bisect_right(ends, most) - 1
            if place >= 0 and ends[place] > (least if ends is not self._levels[-1][0] else fresh):
                return Chunk(start, min(ends[place], self.stop))
        return Chunk(start, min(self._whole(most, fresh), self.stop))

    def _repeat_from(self, before: Chunk, fresh: int, token: int, overlap: int) -> int:
        """Return where a chunk begins that repeats up to `overlap` tokens: at a sentence, else at a word."""
        if overlap == 0:
            return fresh
        least = max(self.starts[max(0, token - overlap)], before.start + 1)
        for _, begins in (self._levels[_SENTENCES], self._levels[-1]):
            place = bisect_left(begins, least)
            if place < len(begins) and begins[place] < fresh:
                return begins[place]
        if fresh > before.end or least >= before.end:
            return fresh  # inside the last word, or after it
        while least < fresh and _joined(self.text, least):
            least += 1
        return least

    def _whole(self, place: int, fresh: int) -> int:
        """Move a place back to the beginning of a grapheme; one that fills the whole chunk is split."""
        at = place
        while at > fresh and at < len(self.text) and _joined(self.text, at):
            at -= 1
        return at if at > fresh else place


_PARAGRAPH, _SENTENCE, _LINE, _WORD = 4, 3, 2, 1
_LEVELS = (_PARAGRAPH, _SENTENCE, _LINE, _WORD)
_SENTENCES = _LEVELS.index(_SENTENCE)
_BLANK = np.array([chr(code).isspace() for code in range(0x3002)])  # the last blank is U+3000
_LINES = np.array([{0x0A: 1, 0x0C: 2, 0x85: 1, 0x2028: 1, 0x2029: 2}.get(code, 0) for code in range(0x202B)])
_STOPS = np.array([ord(letter) for letter in ".!?…"])
_FULL_STOPS = np.array([ord(letter) for letter in "。！？｡"])  # no blank follows them
_CLOSING = np.array([ord(letter) for letter in ")]}\"'”’»」』）"])


def _joined(text: str, at: int) -> bool:
    """Return whether the character at a place and the one before it belong to one grapheme."""
    letter, previous = text[at], text[at - 1]
    if unicodedata.category(letter).startswith("M") or letter == "\u200d" or previous == "\u200d":
        return True
    if (previous, letter) == ("\r", "\n") or "\u1160" <= letter <= "\u11ff" or "\U0001f3fb" <= letter <= "\U0001f3ff":
        return True
    if not ("\U0001f1e6" <= letter <= "\U0001f1ff"):
        return "\U000e0020" <= letter <= "\U000e007f"
    flags = at
    while flags > 0 and "\U0001f1e6" <= text[flags - 1] <= "\U0001f1ff":
        flags -= 1
    return (at - flags) % 2 == 1
