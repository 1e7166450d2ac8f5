"""Text to ids: the model's limit and not the file's, and huge texts cut without a change of result."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from rowvec.encode import tokenizer as module
from rowvec.encode.tokenizer import TextTokenizer
from rowvec.errors import ArtefactError
from tests.artefacts import MAX_TOKENS, WORDS


def test_special_tokens_count_towards_the_limit(tiny_directory: Path) -> None:
    (ids,) = TextTokenizer(tiny_directory / "tokenizer.json", max_tokens=MAX_TOKENS)([" ".join(WORDS)])
    assert len(ids) == MAX_TOKENS
    assert (ids[0], ids[-1]) == (2, 3)  # [CLS] and [SEP] are still there


def test_limits_in_the_file_are_ignored(tiny_directory: Path) -> None:
    """all-MiniLM-L6-v2's own file cuts at 128 tokens and pads all to 128; the model takes 256."""
    path = tiny_directory / "tokenizer.json"
    raw = Tokenizer.from_file(str(path))
    raw.enable_truncation(max_length=5)
    raw.enable_padding(length=20)
    raw.save(str(path))
    short, long = TextTokenizer(path, max_tokens=MAX_TOKENS)(["w1", "w1 w2 w3 w4 w5 w6 w7"])
    assert (len(short), len(long)) == (3, 9)


def test_an_empty_text_has_its_special_tokens(tiny_directory: Path) -> None:
    (ids,) = TextTokenizer(tiny_directory / "tokenizer.json", max_tokens=MAX_TOKENS)([""])
    assert ids.tolist() == [2, 3]


def test_a_huge_text_is_cut_first_and_gives_the_same_ids(tiny_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_directory / "tokenizer.json"
    texts = ["w1 w2 " * 5000, "w1 " + "x" * 20_000 + " w2", "y" * 20_000, "w5" + " " * 20_000 + "w6", "w1 w2"]
    monkeypatch.setattr(module, "_CHARACTERS_PER_TOKEN", (10**9,))
    whole = TextTokenizer(path, max_tokens=MAX_TOKENS)(texts)
    monkeypatch.undo()
    monkeypatch.setattr(module, "_SLICE_CHARACTERS", 500)  # several slices
    cut = TextTokenizer(path, max_tokens=MAX_TOKENS)(texts)
    assert [ids.tolist() for ids in cut] == [ids.tolist() for ids in whole]


def test_of_a_huge_text_only_the_head_is_tokenized(tiny_directory: Path) -> None:
    tokenizer = TextTokenizer(tiny_directory / "tokenizer.json", max_tokens=MAX_TOKENS)
    seen = list[int]()
    real = tokenizer._tokenizer

    class Spy:
        def encode_batch_fast(self, texts: list[str]) -> object:
            seen.extend(map(len, texts))
            return real.encode_batch_fast(texts)

    tokenizer._tokenizer = Spy()  # type: ignore[assignment]
    tokenizer(["w1 w2 " * 500_000, "w3"])
    assert max(seen) <= 16 * MAX_TOKENS


def test_a_broken_file_is_an_artefact_error(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ArtefactError, match=r"tokenizer\.json"):
        TextTokenizer(tmp_path / "tokenizer.json", max_tokens=8)
