"""Every architecture, on a tiny random model: sentence-transformers' numbers, whatever the batch, on any device."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from export.devices import device_constants
from export.parity import MAX_ABS, MAX_BATCH_ABS, pad
from export.tracing import quiet_torchscript
from tests.export.conftest import Export
from tests.export.tiny import ARCHITECTURES

names = pytest.mark.parametrize("architecture", ARCHITECTURES)


@names
def test_the_numbers_are_those_of_sentence_transformers(architecture: str, exported: Export) -> None:
    manifest = exported(architecture).manifest
    parity = manifest["parity"]
    assert parity["reference"].startswith("sentence-transformers")
    assert parity["texts"] >= 200
    assert parity["max_abs"] <= MAX_ABS
    assert parity["batch_invariance"] <= MAX_BATCH_ABS
    assert parity["kernels"]["onednn"] <= MAX_ABS
    assert manifest["architecture"] == architecture
    assert manifest["graph"]["warnings"] == []


@names
def test_the_file_follows_its_input_to_another_device(architecture: str, exported: Export) -> None:
    """ "meta" stands for any device that is not the trace's: 19 of the 20 fail there as traced."""
    with quiet_torchscript():
        module = torch.jit.load(str(exported(architecture).directory / "model.pt"))  # type: ignore[no-untyped-call]
    assert device_constants(module) == []
    _move(module, "meta")
    ids, mask = pad([[5, 6, 7], [8]], 0)
    vectors = module(ids.to("meta"), mask.to("meta"))
    assert vectors.device.type == "meta"
    assert vectors.shape == (2, 32)


def _move(module: Any, device: str) -> None:
    """What `.to(device)` does; it itself refuses "meta" on a ScriptModule."""
    for child in module.modules():
        own = [name for kind in (child.named_parameters, child.named_buffers) for name, _ in kind(recurse=False)]
        for name in [*own, "packed_weight", "packed_bias"]:
            if child._c.hasattr(name) and child._c.getattr(name) is not None:
                child._c.setattr(name, child._c.getattr(name).to(device))
