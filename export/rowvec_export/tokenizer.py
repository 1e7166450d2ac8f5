"""The tokenizer as one clean tokenizer.json: no padding, no truncation inside; the limits go to the manifest.

A model's own file may be wrong: all-MiniLM-L6-v2's truncates at 128 tokens and pads to 128, though the model's limit is
256. Used as it is, "hello world" has 128 ids, and every text beyond 128 tokens another vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.normalizers import Lowercase
from tokenizers.normalizers import Sequence as Normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from rowvec.errors import ExportRefused
from rowvec_export.backbone import quiet_loading


@dataclass(frozen=True, slots=True)
class LoadedTokenizer:
    """The clean tokenizer, transformers' own to compare with (None for a static model), and the manifest's numbers."""

    clean: Tokenizer
    original: PreTrainedTokenizerBase | None
    max_tokens: int
    pad_id: int
    pads_left: bool = False

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, truncated to max_tokens, special tokens included."""
        self.clean.enable_truncation(self.max_tokens)
        try:
            encoded = self.clean.encode_batch(list(texts))
        finally:
            self.clean.no_truncation()
        return [list(one.ids) for one in encoded]

    def original_ids(self, text: str) -> list[int]:
        """Ids by transformers' tokenizer, truncated alike; by the clean one for a static model, which has no other."""
        if self.original is None:
            return self.ids([text])[0]
        ids: list[int] = self.original(text, truncation=True, max_length=self.max_tokens)["input_ids"]
        return ids


def load(
    folder: Path, settings: Mapping[str, Any], usable: int | None, *, trust_remote_code: bool, asked: int | None
) -> LoadedTokenizer:
    """Load as sentence-transformers does (its limit, its lower-casing) and clean.

    `settings` is sentence_bert_config.json, `usable` how many positions the model has, `asked` a lower limit.
    """
    options = dict(settings.get("processor_kwargs") or settings.get("tokenizer_args") or {})
    if settings.get("max_seq_length") is not None:
        options.setdefault("model_max_length", settings["max_seq_length"])
    try:
        original = AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code, **options)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise ExportRefused(f"The tokenizer cannot be loaded: {str(error).splitlines()[0]}") from None
    if not original.is_fast:
        raise ExportRefused("The tokenizer has no fast form (tokenizer.json), so it cannot run without transformers.")
    if original.truncation_side != "right":
        raise ExportRefused("The tokenizer cuts long texts on the left; an artefact cuts on the right only.")
    if settings.get("do_lower_case"):
        _lower_case(original.backend_tokenizer)
    if original.pad_token_id is None:
        raise ExportRefused("The tokenizer has no padding token; name one in its tokenizer_config.json.")
    limit = choose_limit(original.model_max_length, usable, asked)
    clean = cleaned(original.backend_tokenizer)
    return LoadedTokenizer(clean, original, limit, int(original.pad_token_id), original.padding_side == "left")


def cleaned(tokenizer: Tokenizer) -> Tokenizer:
    """A copy without padding and truncation."""
    clean = Tokenizer.from_str(tokenizer.to_str())
    clean.no_padding()
    clean.no_truncation()
    return clean


def check_ids(tokens: LoadedTokenizer, texts: Sequence[str]) -> None:
    """Raise ExportRefused unless the clean tokenizer gives transformers' ids for every text."""
    with quiet_loading():  # some of the texts are longer than the model's limit, which transformers warns of
        for text, ids in zip(texts, tokens.ids(texts), strict=True):
            if ids != tokens.original_ids(text):
                shown = text if len(text) < 40 else text[:40] + "…"
                raise ExportRefused(f"The tokenizer gives other ids than transformers for {shown!r}.")


def prompt_length(tokens: LoadedTokenizer, prompt: str) -> int:
    """How many tokens sentence-transformers counts as the prompt's: all but a special one at the end."""
    ids = tokens.original_ids(prompt)
    special = set(tokens.original.all_special_ids) if tokens.original is not None else set()
    return len(ids) - (1 if ids and ids[-1] in special else 0)


def stable_prefix(tokens: LoadedTokenizer, prompt: str) -> list[int]:
    """The ids with which every text behind the prompt begins: its last token may differ with the text that follows."""
    rows = [tokens.original_ids(prompt + text) for text in ("a", "Zebra", "7 of 9", "…", "数", "the")]
    length = 0
    while all(len(row) > length and row[length] == rows[0][length] for row in rows):
        length += 1
    return rows[0][: min(length, prompt_length(tokens, prompt))]


def choose_limit(declared: int, usable: int | None, asked: int | None) -> int:
    """The limit in tokens: what the model declares, never more than it has positions, lowered by `asked`."""
    limit = min(declared, usable) if usable is not None else declared
    if limit > 1_000_000 and asked is None:  # transformers writes 1e30 for "not known"
        raise ExportRefused("The model does not say how many tokens it takes; give --max-tokens.")
    if asked is None:
        return int(limit)
    if not 3 <= asked <= limit:
        raise ExportRefused(f"--max-tokens {asked} is outside 3 to {int(limit):,}, the model's own limit.")
    return asked


def _lower_case(tokenizer: Tokenizer) -> None:
    """Lower-case first, as sentence-transformers' do_lower_case does."""
    normalizer = tokenizer.normalizer
    parts: list[Any] = [normalizer] if normalizer else []
    if isinstance(normalizer, Normalizers):
        parts = [normalizer[index] for index in range(len(normalizer))]
    if not any(isinstance(part, Lowercase) for part in parts):
        tokenizer.normalizer = Normalizers([Lowercase(), *parts])
