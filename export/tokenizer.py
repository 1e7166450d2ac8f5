"""The tokenizer as one clean tokenizer.json: no padding, no truncation inside; the limits go to the manifest.

Model files lie here: all-MiniLM-L6-v2's carries truncation at 128 and padding to 128 while the model's limit is 256, so
that a raw use gives 128 ids for "hello world" and another vector for every text beyond 128 tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.normalizers import Lowercase
from tokenizers.normalizers import Sequence as Normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from app.errors import ExportRefused


@dataclass(frozen=True, slots=True)
class LoadedTokenizer:
    """The clean tokenizer, transformers' own to compare with, and what the manifest needs of it."""

    clean: Tokenizer
    original: PreTrainedTokenizerBase | None
    max_tokens: int
    pad_id: int
    add_special_tokens: bool = True

    def ids(self, texts: list[str]) -> list[list[int]]:
        """Ids of each text, cut to max_tokens (special tokens counted)."""
        self.clean.enable_truncation(self.max_tokens)
        try:
            encoded = self.clean.encode_batch(texts, add_special_tokens=self.add_special_tokens)
        finally:
            self.clean.no_truncation()
        return [list(one.ids) for one in encoded]


def load(
    folder: Path, config: Any, settings: Mapping[str, Any], *, max_tokens: int | None, trust_remote_code: bool
) -> LoadedTokenizer:
    """Load as sentence-transformers does (its limit, its lower-casing) and clean.

    `settings` is the content of sentence_bert_config.json; `max_tokens` may only lower the limit.
    """
    options = dict(settings.get("processor_kwargs") or settings.get("tokenizer_args") or {})
    limit = settings.get("max_seq_length")
    if limit is not None:
        options.setdefault("model_max_length", limit)
    original = AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code, **options)
    if not original.is_fast:
        raise ExportRefused("The tokenizer has no fast form, so it cannot run without transformers.")
    positions = getattr(config, "max_position_embeddings", None)
    if "model_max_length" not in options and isinstance(positions, int) and positions != -1:
        original.model_max_length = min(original.model_max_length, positions)
    if settings.get("do_lower_case"):
        _lower_case(original.backend_tokenizer)
    if original.pad_token_id is None:
        raise ExportRefused("The tokenizer has no padding token; set one in its tokenizer_config.json.")
    clean = Tokenizer.from_str(original.backend_tokenizer.to_str())
    clean.no_padding()
    clean.no_truncation()
    return LoadedTokenizer(
        clean,
        original,
        choose_limit(original.model_max_length, usable_positions(config), max_tokens),
        original.pad_token_id,
    )


def usable_positions(config: Any) -> int | None:
    """How many tokens the position table holds: RoBERTa's begins behind the padding id, so 514 means 512."""
    positions = getattr(config, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions <= 0:
        return None
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet"):
        return positions - int(config.pad_token_id) - 1
    return positions


def choose_limit(declared: int, usable: int | None, asked: int | None) -> int:
    """The limit in tokens: what the model declares, never more than it has positions, lowered by `asked`."""
    limit = min(declared, usable) if usable is not None else declared
    if asked is None:
        if limit > 1_000_000:  # transformers writes 1e30 for "not known"
            raise ExportRefused("The model does not say how many tokens it takes; give --max-tokens.")
        return limit
    if not 3 <= asked <= limit:
        raise ExportRefused(f"--max-tokens {asked} is outside 3 to {limit}, the model's own limit.")
    return asked


def _lower_case(tokenizer: Tokenizer) -> None:
    """Lower-case first, as sentence-transformers' do_lower_case does."""
    normalizer = tokenizer.normalizer
    parts: list[Any] = [normalizer] if normalizer else []
    if isinstance(normalizer, Normalizers):
        parts = [normalizer[index] for index in range(len(normalizer))]
    if not any(isinstance(part, Lowercase) for part in parts):
        tokenizer.normalizer = Normalizers([Lowercase(), *parts])
