"""What is refused, by name and in one line; and that a refusal leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rowvec.errors import ExportRefused
from rowvec_export import parity, refusals
from rowvec_export.exporter import export_model
from tests.export import tiny

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that would export well; each test spoils a copy."""
    return tiny.make(tmp_path_factory.mktemp("plain"), "bert")


@pytest.fixture
def spoiled(plain: Path, tmp_path: Path) -> Callable[..., Path]:
    """Copy the tiny model and change JSON files: `spoiled({"config.json": {...}})`."""

    def spoil(changes: dict[str, Any]) -> Path:
        import shutil

        folder = tmp_path / "source"
        shutil.copytree(plain, folder)
        for name, change in changes.items():
            path = folder / name
            before = json.loads(path.read_text()) if path.exists() else {}
            path.write_text(json.dumps(before | change if isinstance(change, dict) else change))
        return folder

    return spoil


def refused(folder: Path, out: Path, **options: Any) -> str:
    """Export, which must be refused in one line, and leave nothing at `out` or beside it."""
    with pytest.raises(ExportRefused) as caught:
        export_model(str(folder), out, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert not list(out.parent.glob(f".{out.name}*"))
    assert not out.exists()
    return message


@pytest.mark.parametrize("kind", refusals.MODULES)
def test_modules_that_are_no_dense_text_encoder(kind: str, spoiled: Callable[..., Path], tmp_path: Path) -> None:
    modules = [{"idx": 0, "name": "0", "path": "", "type": f"sentence_transformers.models.{kind}"}]
    message = refused(spoiled({"modules.json": modules}), tmp_path / "out")
    assert message.endswith(refusals.MODULES[kind])


@pytest.mark.parametrize("declared", refusals.MODEL_TYPES)
def test_kinds_of_models_that_config_sentence_transformers_names(
    declared: str, spoiled: Callable[..., Path], tmp_path: Path
) -> None:
    folder = spoiled({"config_sentence_transformers.json": {"model_type": declared}})
    assert refusals.MODEL_TYPES[declared] in refused(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("config.json", {"architectures": ["CLIPModel"]}, "CLIP"),
        ("config.json", {"model_type": "siglip"}, "CLIP"),
        ("config.json", {"architectures": ["HF_ColBERT"]}, "ColBERT"),
        ("config.json", {"architectures": ["ColQwen2ForRetrieval"]}, "ColBERT"),
        ("config.json", {"quantization_config": {"quant_method": "gptq"}}, "quantised"),
        ("config.json", {"num_experts": 8}, "mixture of experts"),
        ("config.json", {"lora_adaptations": ["retrieval.query"]}, "merge one task's adapter"),
        ("adapter_config.json", {"peft_type": "LORA"}, "unmerged adapter"),
        ("artifact.metadata", {"dim": 128}, "ColBERT"),
        ("config.json", {"auto_map": {"AutoModel": "code.Model"}, "model_type": "own"}, "--trust-remote-code"),
        ("modules.json", [{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}], "code of its own"),
        ("modules.json", [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.New"}], "New"),
        ("sentence_bert_config.json", {"modality_config": {"message": {}}}, "chat template"),
        ("sentence_bert_config.json", {"modality_config": {"image": {}}}, "image"),
        ("sentence_bert_config.json", {"transformer_task": "fill-mask"}, "fill-mask"),
        ("sentence_bert_config.json", {"query_length": 32}, "query_length"),
        ("sentence_bert_config.json", {"processing_kwargs": {"text": {"max_length": 9}}}, "processing_kwargs"),
        ("config_sentence_transformers.json", {"similarity_fn_name": "manhattan"}, "manhattan"),
        ("1_Pooling/config.json", {"pooling_mode": "median"}, "median"),
        ("tokenizer_config.json", {"truncation_side": "left"}, "on the left"),
        ("tokenizer_config.json", {"pad_token": None}, "padding token"),
    ],
)
def test_what_a_file_gives_away(
    file: str, change: Any, says: str, spoiled: Callable[..., Path], tmp_path: Path
) -> None:
    assert says in refused(spoiled({file: change}), tmp_path / "out")


def test_a_plain_cross_encoder(spoiled: Callable[..., Path], tmp_path: Path) -> None:
    folder = spoiled({"config.json": {"architectures": ["BertForSequenceClassification"]}})
    (folder / "modules.json").unlink()
    assert "cross-encoder" in refused(folder, tmp_path / "out", pooling="mean")


def test_pickled_weights_need_a_flag(spoiled: Callable[..., Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = spoiled({})
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert "--allow-pickle" in refused(folder, tmp_path / "out")
    assert export_model(str(folder), tmp_path / "out", allow_pickle=True).created


def test_missing_weights_would_be_random(spoiled: Callable[..., Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = spoiled({})
    state = load_file(folder / "model.safetensors")
    state.pop("encoder.layer.1.output.dense.weight")
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    assert "random numbers" in refused(folder, tmp_path / "out")


def test_no_weights_and_no_model(spoiled: Callable[..., Path], tmp_path: Path) -> None:
    folder = spoiled({})
    (folder / "model.safetensors").unlink()
    assert "no weights" in refused(folder, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    assert "no weights" in refused(tmp_path / "empty", tmp_path / "out")


@pytest.mark.parametrize(
    ("dims", "known", "says"), [(4096, [2048, 512], "--dims 2048"), (5000, [], "if it was trained for Matryoshka")]
)
def test_more_dimensions_than_pgvector_indexes(dims: int, known: list[int], says: str) -> None:
    with pytest.raises(ExportRefused, match="4,000") as caught:
        refusals.check_dims(dims, "big", known)
    assert says in str(caught.value)
    refusals.check_dims(4000, "fits", [])


def test_a_folder_that_is_not_an_artefact_is_not_overwritten(plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(ExportRefused, match="not a model's folder"):
        export_model(str(plain), out)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_a_difference_from_the_reference_is_refused(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate itself must be able to say no: two parts in 100,000 are too many."""
    honest = parity.ask
    monkeypatch.setattr(parity, "ask", lambda *given: _moved(honest(*given), 2e-5))
    assert "differ from those of sentence-transformers" in refused(plain, tmp_path / "out")


def test_a_vector_that_moves_with_its_batch_is_refused() -> None:
    """A pooling over the padding: right alone, wrong in company."""

    def careless(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.stack([ids.float().mean(dim=1), ids.float().amax(dim=1)], dim=1) / 100

    rows = parity.id_rows([[5, 6, 7], [8, 9]], 16)
    alone = parity.run(careless, rows, 0, 1)
    expected = parity.Expected("itself", rows, alone, alone[:2], 0.0)
    with pytest.raises(ExportRefused, match="changes with its batch"):
        parity.check(careless, expected, rows[:2], 0, 16)


def test_vectors_that_are_not_finite_are_refused() -> None:
    rows = parity.id_rows([[5, 6, 7]], 8)
    alone = torch.zeros(len(rows), 2)
    expected = parity.Expected("itself", rows, alone, alone[:1], 0.0)
    with pytest.raises(ExportRefused, match="not finite"):
        parity.check(lambda ids, mask: torch.full((len(ids), 2), float("nan")), expected, rows[:1], 0, 8)


def _moved(expected: parity.Expected, by: float) -> parity.Expected:
    return parity.Expected(expected.name, expected.rows, expected.alone + by, expected.by_texts, expected.own_movement)
