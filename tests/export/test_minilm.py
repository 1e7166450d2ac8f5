"""The packaged all-MiniLM-L6-v2, real weights: the same numbers, the clean tokenizer, the same fingerprint twice."""

from __future__ import annotations

import json

from tokenizers import Tokenizer

from rowvec_export.exporter import Exported, export_model


def test_the_manifest_says_what_the_model_is(minilm: Exported) -> None:
    """Every key of the contract, with the values that are known of this model."""
    manifest = minilm.manifest
    assert (manifest["dims"], manifest["max_tokens"], manifest["pad_id"]) == (384, 256, 0)
    assert (manifest["pooling"], manifest["normalized"], manifest["similarity"]) == ("mean", True, "cosine")
    assert manifest["source"]["sha256"].startswith("53aa51172d14")
    assert json.loads((minilm.directory / "manifest.json").read_text()) == manifest


def test_the_tokenizer_is_clean(minilm: Exported) -> None:
    """The file that it was made from cuts at 128 and pads to 128."""
    tokenizer = Tokenizer.from_file(str(minilm.directory / "tokenizer.json"))
    assert tokenizer.padding is None
    assert tokenizer.truncation is None
    assert len(tokenizer.encode("hello world").ids) == 4


def test_a_second_export_leaves_the_artefact_alone(minilm: Exported) -> None:
    """Idempotent: the same fingerprint, nothing written."""
    before = (minilm.directory / "model.pt").stat().st_mtime_ns
    again = export_model("all-MiniLM-L6-v2", minilm.directory)
    assert not again.created
    assert again.fingerprint == minilm.fingerprint
    assert (minilm.directory / "model.pt").stat().st_mtime_ns == before
