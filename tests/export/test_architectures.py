"""Every architecture, on a tiny random model: sentence-transformers' numbers, whatever the batch, on any device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from rowvec.encode.kernels import quiet_torchscript
from rowvec_export import sweep
from rowvec_export.devices import device_constants
from rowvec_export.exporter import Exported
from rowvec_export.parity import MAX_ABS, pad
from tests.export import table
from tests.export.conftest import Export
from tests.export.tiny import ARCHITECTURES

names = pytest.mark.parametrize("architecture", ARCHITECTURES)


@names
def test_it_goes_through_every_gate_with_sentence_transformers_as_reference(
    architecture: str, exported: Export
) -> None:
    """The gates themselves refuse numbers that differ; here it is that they were asked, and of enough texts."""
    manifest = exported(architecture).manifest
    assert manifest["parity"]["reference"].startswith("sentence-transformers")
    assert manifest["parity"]["texts"] >= 200
    assert manifest["architecture"] == architecture
    assert manifest["graph"]["warnings"] == []


@names
def test_the_file_follows_its_input_to_another_device(
    architecture: str, exported: Export, request: pytest.FixtureRequest
) -> None:
    """ "meta" stands for any device that is not the trace's: 18 of 19 failed there as traced."""
    # The daemon's encoder switches the profiling executor off, in a whole process; the older one does not know "meta".
    before = torch._C._jit_set_profiling_executor(True)
    request.addfinalizer(lambda: torch._C._jit_set_profiling_executor(before))
    with quiet_torchscript():
        module = torch.jit.load(str(exported(architecture).directory / "model.pt"))  # type: ignore[no-untyped-call]
    assert device_constants(module) == []
    _move(module, "meta")
    ids, mask = pad([[5, 6, 7], [8]], 0)
    vectors = module(ids.to("meta"), mask.to("meta"))
    assert vectors.device.type == "meta"
    assert vectors.shape == (2, 32)


def test_the_files_work_in_a_process_that_has_only_torch_and_tokenizers(exported: Export, tmp_path: Path) -> None:
    """All of them, in one process: ids, vectors in many shapes, two threads, each kernel."""
    asked = []
    for architecture in ARCHITECTURES:
        made = exported(architecture)
        golden = json.loads((made.directory / "golden.json").read_text())
        plan = {
            "texts": golden["texts"],
            "text_ids": golden["ids"],
            "rows": golden["ids"],
            "vectors": torch.tensor(golden["vectors"]),
            "pad_id": made.manifest["pad_id"],
            "max_tokens": made.manifest["max_tokens"],
        }
        torch.save(plan, tmp_path / architecture)
        asked.append((made.directory, tmp_path / architecture))
    for architecture, found in zip(ARCHITECTURES, sweep.in_fresh_process(*asked), strict=True):
        assert (found["imported"], found["ids"]) == ([], 0), architecture
        assert max(found["plain"], found["threads"], found["onednn"]) <= MAX_ABS, architecture
        assert found.get("bf16", 1.0) >= 0.998, architecture  # random weights of width 32: real ones are at 0.9999


def test_the_reference_page_is_what_comes_out(exported: Export, minilm: Exported) -> None:
    manifests = [exported(architecture).manifest for architecture in (*ARCHITECTURES, "static")]
    page = table.render([*manifests, minilm.manifest])
    assert table.without_measurements(table.PAGE.read_text()) == table.without_measurements(page), (
        "run `python -m tests.export.table`"
    )


def _move(module: Any, device: str) -> None:
    """What `.to(device)` does; it itself refuses "meta" on a ScriptModule."""
    for child in module.modules():
        own = [name for kind in (child.named_parameters, child.named_buffers) for name, _ in kind(recurse=False)]
        for name in [*own, "packed_weight", "packed_bias"]:
            if child._c.hasattr(name) and child._c.getattr(name) is not None:
                child._c.setattr(name, child._c.getattr(name).to(device))
