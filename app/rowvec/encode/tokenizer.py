"""Text to token ids, with the model's own tokenizer and its limit, special tokens counted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from rowvec.errors import ArtefactError

TokenIds = NDArray[np.int32]

# Of a long text only a head is tokenized: 16 characters for each token of the limit, else 256, else all of it. English
# has 4 to 5 characters a token, and tokenizing 10 MB to keep 256 tokens costs seconds and hundreds of MB.
_CHARACTERS_PER_TOKEN = (16, 256)
_SPARE_TOKENS = 16  # beyond the limit: a head that has them gives the same first tokens as the whole text
_SLICE_CHARACTERS = 1_000_000  # tokenized at once: what the library keeps of it is about 100 MB at most
_SECTION_CHARACTERS = 8192  # of a text that is to be split into chunks: sections are tokenized in parallel
_SECTIONS_AT_ONCE = 32


class TextTokenizer:
    """The tokenizer of one artefact. Safe to use from several threads."""

    def __init__(self, path: Path, *, max_tokens: int) -> None:
        """Load tokenizer.json and limit every text to `max_tokens`; ArtefactError when the file cannot be read."""
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception
            raise ArtefactError(f"{path}: {error}", hint="Export the model again.") from None
        # The file may carry limits of its own: all-MiniLM-L6-v2's says 128 tokens, padded, where the model takes 256.
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length=max_tokens)
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._heads = [max_tokens * characters for characters in _CHARACTERS_PER_TOKEN]
        self._frame = tokenizer.num_special_tokens_to_add(False)

    def __call__(self, texts: Sequence[str], truncated: NDArray[np.bool_] | None = None) -> list[TokenIds]:
        """Return each text's ids, int32 of shape (tokens,), at least one token and at most `max_tokens` each.

        `truncated` is filled in: which texts had more tokens.
        """
        ids: list[TokenIds] = []
        start = 0
        while start < len(texts):
            stop, characters = start, 0
            while stop < len(texts) and (stop == start or characters + len(texts[stop]) <= _SLICE_CHARACTERS):
                characters += min(len(texts[stop]), self._heads[0])
                stop += 1
            ids.extend(self._slice(texts[start:stop], None if truncated is None else truncated[start:stop]))
            start = stop
        return ids

    def count(self, texts: Sequence[str], prompt: str = "") -> list[int]:
        """Return each text's number of tokens; see `rowvec.encode.chunks.Measure`."""
        return [
            sum(len(part) - self._frame for part in _parts(encoding)) + self._frame
            for encoding in self._tokenizer.encode_batch_fast([prompt + text for text in texts])
        ]

    def starts(self, text: str, prompt: str = "") -> tuple[NDArray[np.int64], int | None]:
        """Return where the tokens of a text begin, and their count; see `rowvec.encode.chunks.Measure`."""
        size = _SECTION_CHARACTERS
        sections = [text[at : at + size] for at in range(0, len(text), size)] or [""]
        sections[0] = prompt + sections[0]
        places: list[NDArray[np.int64]] = []
        for first in range(0, len(sections), _SECTIONS_AT_ONCE):
            for encoding in self._tokenizer.encode_batch(sections[first : first + _SECTIONS_AT_ONCE]):
                shift = len(places) * size - (0 if places else len(prompt))
                places.append(_begins(encoding) + shift)
        starts = np.maximum.accumulate(np.concatenate(places))
        count = len(starts) + self._frame if len(sections) == 1 else None
        return starts[starts >= 0], count

    def _slice(self, texts: Sequence[str], truncated: NDArray[np.bool_] | None) -> list[TokenIds]:
        """Tokenize heads, then longer ones of those texts whose head does not settle the result."""
        encodings = self._tokenizer.encode_batch_fast([_head(text, self._heads[0]) for text in texts])
        for i, text in enumerate(texts):
            for tried, more in pairwise((*self._heads, None)):
                if tried is None or len(text) <= tried or _spare_tokens(encodings[i]) >= _SPARE_TOKENS:
                    break
                encodings[i] = self._tokenizer.encode_batch_fast([_head(text, more)])[0]
        if truncated is not None:
            truncated[:] = [bool(encoding.overflowing) for encoding in encodings]
        return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]


def _head(text: str, limit: int | None) -> str:
    """Return the text's first `limit` characters, up to a space: a part of a word could have other tokens."""
    if limit is None or len(text) <= limit:
        return text
    space = text.rfind(" ", 0, limit)
    return text[:space] if space > 0 else text


def _parts(encoding: Encoding) -> list[Encoding]:
    """Return all that was tokenized: up to the model's limit, then the rest, in parts of that size."""
    return [encoding, *encoding.overflowing]


def _begins(encoding: Encoding) -> NDArray[np.int64]:
    """Return the character at which each token begins, special tokens left out."""
    kept = [
        place[0]
        for part in _parts(encoding)
        for place, special in zip(part.offsets, part.special_tokens_mask, strict=True)
        if not special
    ]
    return np.array(kept, dtype=np.int64)


def _spare_tokens(encoding: Encoding) -> int:
    """Return how many tokens are beyond the model's limit."""
    return sum(len(rest.ids) for rest in encoding.overflowing)
