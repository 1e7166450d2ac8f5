"""What stands behind the transformer: poolings, Dense, LayerNorm, the pooler, prompts, a cut; static embeddings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rowvec.encode.kernels import quiet_torchscript
from rowvec.errors import ExportRefused
from rowvec_export import chain, sources
from rowvec_export.exporter import Exported, export_model
from rowvec_export.loading import Loaded, load
from rowvec_export.manifest import describe
from rowvec_export.parity import pad
from rowvec_export.pooling import MODES, Pooling
from tests.export import tiny
from tests.export.conftest import Export

pytestmark = pytest.mark.usefixtures("quick")


def run(made: Exported, ids: list[list[int]]) -> torch.Tensor:
    """Vectors out of the file."""
    with quiet_torchscript():
        module = torch.jit.load(str(made.directory / "model.pt"))  # type: ignore[no-untyped-call]
    with torch.inference_mode():
        vectors: torch.Tensor = module(*pad(ids, made.manifest["pad_id"]))
    return vectors


def load_source(source: Path, **options: Any) -> Loaded:
    """Read a model as `export_model` does, and stop before its gates."""
    return load(sources.find(str(source)), **options)


@pytest.mark.parametrize("new_files", [False, True], ids=["old-files", "new-files"])
@pytest.mark.parametrize("pooling", [*MODES, "cls+mean", "max+mean+lasttoken"])
def test_every_pooling_is_read_and_is_that_of_sentence_transformers(
    pooling: str, new_files: bool, tmp_path: Path
) -> None:
    from sentence_transformers.sentence_transformer.modules import Pooling as Reference

    source = tiny.make(tmp_path, "bert", pooling=pooling, new_files=new_files, normalize=False)
    modes = chain.read(sources.find(str(source))).pooling
    assert modes == tuple(pooling.split("+"))
    tokens = torch.randn(3, 6, 32, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1] * 6, [1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0]])
    for prompt in (0, 2):  # tokens of a prompt that is not pooled
        reference = Reference(32, modes, include_prompt=prompt == 0)
        features = {"token_embeddings": tokens, "attention_mask": mask.clone(), "prompt_length": prompt}
        pooled = mask * (torch.arange(6) >= prompt)
        assert torch.allclose(Pooling(modes)(tokens, pooled), reference(features)["sentence_embedding"], atol=1e-6)


def test_joined_poolings_go_through_every_gate(tmp_path: Path) -> None:
    source = tiny.make(tmp_path / "source", "bert", pooling="max+mean+lasttoken", normalize=False)
    manifest = export_model(str(source), tmp_path / "out").manifest
    assert (manifest["pooling"], manifest["dims"], manifest["normalized"]) == ("max+mean+lasttoken", 96, False)


def test_the_poolers_own_vector_of_a_plain_transformers_folder(tmp_path: Path) -> None:
    """The way of BertModel's second output: a dense layer with tanh over the first token."""
    source = tiny.make(tmp_path / "source", "bert")
    (source / "modules.json").unlink()
    made = export_model(str(source), tmp_path / "out", pooling="pooler")
    assert made.manifest["pooling"] == "pooler"
    assert made.manifest["parity"]["reference"].startswith("sentence-transformers")
    from transformers import BertModel

    model = BertModel.from_pretrained(source).eval()  # type: ignore[no-untyped-call]
    ids, mask = pad([[2, 7, 8, 3], [2, 9, 3]], 0)
    with torch.inference_mode():
        expected = model(input_ids=ids, attention_mask=mask).pooler_output
    assert torch.allclose(run(made, [[2, 7, 8, 3], [2, 9, 3]]), expected, atol=1e-6)


def test_a_plain_transformers_folder_needs_a_pooling(tmp_path: Path) -> None:
    source = tiny.make(tmp_path / "source", "bert")
    (source / "modules.json").unlink()
    with pytest.raises(ExportRefused, match="--pooling"):
        export_model(str(source), tmp_path / "out")
    assert load_source(source, pooling="mean").chain.pooling == ("mean",)


def test_dense_and_layer_norm(tmp_path: Path) -> None:
    torch.manual_seed(3)
    first, norm, second = _Linear(32, 48, True), _Norm(48), _Linear(48, 16, False)
    extra = (
        ("Dense", _dense(32, 48, bias=True, activation="torch.nn.modules.activation.Tanh"), first),
        ("LayerNorm", {"dimension": 48}, norm),
        ("Dense", _dense(48, 16, bias=False, activation="torch.nn.modules.linear.Identity"), second),
    )
    source = tiny.make(tmp_path / "source", "distilbert", extra=extra)
    made = export_model(str(source), tmp_path / "out")
    assert made.manifest["dims"] == 16
    assert made.manifest["normalized"]
    assert [step["kind"] for step in made.manifest["chain"]] == ["Dense", "LayerNorm", "Dense", "Normalize"]


def test_dense_with_a_residual(tmp_path: Path) -> None:
    layer = _Linear(32, 16, True)
    layer.residual = nn.Linear(32, 16, bias=False)
    config = _dense(32, 16, bias=True, activation="torch.nn.modules.activation.ReLU") | {"use_residual": True}
    source = tiny.make(tmp_path / "source", "bert", extra=(("Dense", config, layer),), new_files=True)
    assert export_model(str(source), tmp_path / "out").manifest["dims"] == 16


def test_an_unknown_activation_is_refused(tmp_path: Path) -> None:
    config = _dense(32, 16, bias=True, activation="somewhere.else.Act")
    source = tiny.make(tmp_path / "source", "bert", extra=(("Dense", config, _Linear(32, 16, True)),))
    with pytest.raises(ExportRefused, match=r"somewhere\.else\.Act"):
        export_model(str(source), tmp_path / "out")


@pytest.mark.parametrize(
    ("saved", "default", "query", "document"),
    [
        ({"query": "query: ", "passage": "passage: "}, None, "query: ", "passage: "),
        ({"query": "ask: "}, None, "ask: ", ""),
        ({"query": "ask: "}, "query", "ask: ", ""),
        ({"query": "", "document": ""}, None, "", ""),
        ({"sts": "same: "}, "sts", "same: ", "same: "),
        ({"query": "q ", "document": "d ", "corpus": "c "}, None, "q ", "d "),
    ],
)
def test_prompts_are_kept_apart(saved: dict[str, str], default: str | None, query: str, document: str) -> None:
    config = {"prompts": saved, "default_prompt_name": default}
    assert chain.prompts_of(config) == {"query": query, "document": document}


@pytest.mark.parametrize("architecture", ["bert", "t5"])
def test_a_prompt_that_is_not_pooled(architecture: str, tmp_path: Path) -> None:
    """`include_prompt: false`: the gate compares with sentence-transformers behind each prompt and without."""
    prompts = {"query": "compress the file: ", "document": "the document: "}
    source = tiny.make(tmp_path / "source", architecture, prompts=prompts, include_prompt=False)
    made = export_model(str(source), tmp_path / "out")
    assert not made.manifest["include_prompt"]
    assert made.manifest["prompts"] == prompts
    assert made.manifest["parity"]["texts"] >= 300
    pooled = tiny.make(tmp_path / "pooled", architecture, prompts=prompts)
    assert describe(load_source(pooled), name=None)["fingerprint"] != made.fingerprint


def test_a_matryoshka_cut_is_brought_back_to_length_one(tmp_path: Path) -> None:
    source = tiny.make(tmp_path / "source", "bert")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps(config | {"matryoshka_dimensions": [8, 16, 32]}))
    whole = export_model(str(source), tmp_path / "whole")
    cut = export_model(str(source), tmp_path / "cut", dims=16)
    assert (whole.manifest["matryoshka_dims"], cut.manifest["matryoshka_dims"]) == ([16, 8], [8])
    assert whole.fingerprint != cut.fingerprint
    ids = [[2, 7, 8, 3]]
    expected = nn.functional.normalize(run(whole, ids)[:, :16], dim=-1)
    assert torch.allclose(run(cut, ids), expected, atol=1e-6)
    with pytest.raises(ExportRefused, match="more than the model's 32"):
        export_model(str(source), tmp_path / "more", dims=64)


@pytest.mark.parametrize("kind", ["sentence-transformers", "model2vec"])
def test_static_embeddings(kind: str, exported: Export, tmp_path: Path) -> None:
    if kind == "model2vec":
        made = export_model(str(tiny.make_static(tmp_path / "source", model2vec=True)), tmp_path / "out")
    else:
        made = exported("static")
    assert (made.manifest["architecture"], made.manifest["dims"], made.manifest["normalized"]) == ("static", 24, True)
    assert run(made, [[7, 8], []]).norm(dim=-1).tolist() == pytest.approx([1.0, 0.0])


def test_a_transformer_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """The layout of the first releases of sentence-transformers."""
    source = tiny.make(tmp_path / "source", "bert")
    expected = describe(load_source(source), name=None)["fingerprint"]
    inside = source / "0_Transformer"
    inside.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (source / name).rename(inside / name)
    (source / "sentence_bert_config.json").rename(inside / "sentence_bert_config.json")
    modules = json.loads((source / "modules.json").read_text())
    modules[0]["path"] = inside.name
    (source / "modules.json").write_text(json.dumps(modules))
    assert export_model(str(source), tmp_path / "out").fingerprint == expected
    config = json.loads((inside / "config.json").read_text())
    (inside / "config.json").write_text(json.dumps(config | {"quantization_config": {}, "num_experts": 4}))
    with pytest.raises(ExportRefused, match="mixture of experts"):
        export_model(str(source), tmp_path / "refused")


def test_the_limit_leaves_room_for_roberta_positions(tmp_path: Path) -> None:
    """66 rows that begin behind padding id 1 are 64 tokens; the tokenizer's own 512 would index past the table."""
    source = tiny.make(tmp_path / "source", "xlm-roberta", max_seq_length=None)
    assert load_source(source).tokens.max_tokens == 64


def test_the_limit_may_only_be_lowered(tmp_path: Path) -> None:
    source = tiny.make(tmp_path / "source", "bert")
    assert load_source(source, max_tokens=20).tokens.max_tokens == 20
    with pytest.raises(ExportRefused, match="3 to 48"):
        export_model(str(source), tmp_path / "out", max_tokens=49)


def test_lower_case_is_in_the_tokenizer(tmp_path: Path) -> None:
    """sentence_bert_config.json may ask for it where the tokenizer itself does not."""
    source = tiny.make(tmp_path / "source", "roberta", settings={"do_lower_case": True})
    tokenizer = load_source(source).tokens.clean
    assert tokenizer.encode("WORD").ids == tokenizer.encode("word").ids


def test_golden_vectors_read_back_bit_by_bit(exported: Export) -> None:
    made = exported("bert")
    golden = json.loads((made.directory / "golden.json").read_text())
    alone = torch.cat([run(made, [ids]) for ids in golden["ids"]]).numpy()
    assert np.array_equal(np.array(golden["vectors"], dtype=np.float32), alone)


class _Linear(nn.Module):
    """A Dense module's tensors by their names in the file."""

    def __init__(self, width: int, out: int, bias: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(width, out, bias=bias)


class _Norm(nn.Module):
    """A LayerNorm module's tensors by their names in the file, away from one and zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.norm.weight)
        nn.init.normal_(self.norm.bias)


def _dense(width: int, out: int, *, bias: bool, activation: str) -> dict[str, Any]:
    return {"in_features": width, "out_features": out, "bias": bias, "activation_function": activation}
