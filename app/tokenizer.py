"""Text to token ids, with the model's own tokenizer and its limit, special tokens counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from app.errors import ArtefactError

TokenIds = NDArray[np.int32]

# A text longer than this many characters a token is cut before it is tokenized: English has 4 to 5 characters a token,
# and tokenizing 10 MB to keep 256 tokens costs seconds and hundreds of MB.
_CHARACTERS_PER_TOKEN = 64
_OVERFLOW_PROOF = 16  # tokens that must lie between the model's limit and such a cut


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
        self._cut = max_tokens * _CHARACTERS_PER_TOKEN

    def __call__(self, texts: Sequence[str]) -> list[TokenIds]:
        """Return each text's ids, int32 of shape (tokens,), at least one token and at most `max_tokens` each."""
        ids: list[TokenIds] = [_EMPTY] * len(texts)
        whole = [i for i, text in enumerate(texts) if len(text) <= self._cut]
        encodings = self._tokenizer.encode_batch_fast([texts[i] for i in whole])
        for i, encoding in zip(whole, encodings, strict=True):
            ids[i] = np.array(encoding.ids, dtype=np.int32)
        if len(whole) < len(texts):
            for i, text in enumerate(texts):
                if len(text) > self._cut:
                    ids[i] = self._long(text)
        return ids

    def _long(self, text: str) -> TokenIds:
        """Tokenize the head of a huge text, and all of it only where the head does not settle the result."""
        head = text[: self._cut]
        space = head.rfind(" ")
        if space > 0:
            encoding = self._tokenizer.encode_batch_fast([head[:space]])[0]
            if sum(len(more.ids) for more in encoding.overflowing) >= _OVERFLOW_PROOF:
                return np.array(encoding.ids, dtype=np.int32)
        return np.array(self._tokenizer.encode_batch_fast([text])[0].ids, dtype=np.int32)


_EMPTY: TokenIds = np.zeros(0, dtype=np.int32)
