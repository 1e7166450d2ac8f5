"""Trace the chain to TorchScript: linear layers as scripted leaves, no number baked in, warnings judged."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit._trace import TracerWarning

from rowvec.encode.kernels import quiet_torchscript
from rowvec_export.packed import swap_linears

# Warnings of the tracer that are known to be harmless: each is about a check or a Python number, and the sweep over
# shapes would show a wrong one. Matched by file and a part of the message: lines move with each release.
KNOWN_WARNINGS: tuple[tuple[str, str], ...] = (
    ("transformers/masking_utils.py", "Converting a tensor to a Python"),
    ("transformers/integrations/sdpa_attention.py", "Converting a tensor to a Python"),
    ("torch/nn/functional.py", "Converting a tensor to a Python"),
    ("transformers/models/deberta_v2/modeling_deberta_v2.py", "torch.tensor results are registered as constants"),
    ("transformers/models/deberta_v2/modeling_deberta_v2.py", "Converting a tensor to a Python"),
)


@dataclass(frozen=True, slots=True)
class Traced:
    """A traced chain, and the tracer's warnings that are not known."""

    module: torch.jit.ScriptModule
    unknown_warnings: tuple[str, ...]
    linears: int


def example(config: Any, pad_id: int, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Right-padded ids and mask, int64[3,L], with a length that no number of the configuration equals.

    A batch of one, a row without padding or a length equal to a constant can be baked into the graph.
    """
    taken = {value for value in vars(config).values() if isinstance(value, int)} if config is not None else set()
    length = next(number for number in (11, 13, 14, 15, 17, 19, 21, 22, 23) if number not in taken)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, vocabulary, (3, length), generator=generator)
    ids[ids == pad_id] = (pad_id + 1) % vocabulary
    mask = torch.ones_like(ids)
    for row, kept in ((1, length - 4), (2, 5)):
        ids[row, kept:] = pad_id
        mask[row, kept:] = 0
    return ids, mask


def trace(model: nn.Module, inputs: tuple[Tensor, Tensor]) -> Traced:
    """Swap the linear layers in place and trace; the tracer's warnings are sorted into known and unknown."""
    linears = swap_linears(model)
    with (
        quiet_torchscript(),
        warnings.catch_warnings(record=True) as caught,
        torch.no_grad(),
    ):
        warnings.simplefilter("always")
        # check_trace runs the model again on the same input: the parity gate on other shapes proves more.
        traced = torch.jit.trace(model, inputs, check_trace=False, strict=True)  # type: ignore[no-untyped-call]
    unknown = {_describe(one) for one in caught if issubclass(one.category, TracerWarning) and not _known(one)}
    assert isinstance(traced, torch.jit.ScriptModule)
    return Traced(traced, tuple(sorted(unknown)), linears)


def _known(warning: warnings.WarningMessage) -> bool:
    return any(warning.filename.endswith(file) and part in str(warning.message) for file, part in KNOWN_WARNINGS)


def _describe(warning: warnings.WarningMessage) -> str:
    file = warning.filename.rsplit("site-packages/", 1)[-1]
    return f"{file}:{warning.lineno}: {str(warning.message).splitlines()[0]}"
