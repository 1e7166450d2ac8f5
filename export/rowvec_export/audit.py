"""Check the traced program before it is written: only known operators, nothing of training, no Python inside.

A .pt file is a program. The allow-list says what ours may do: arithmetic on tensors, no files, no network, no Python.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch

from rowvec.errors import ExportRefused
from rowvec_export.devices import device_constants, graphs

ALLOWED_ATEN = """
    Bool Float Int ScalarImplicit IntImplicit FloatImplicit __and__ __or__ __not__ abs add add_ all any arange
    argmax as_tensor baddbmm bitwise_and bitwise_not bitwise_or bmm cat ceil chunk clamp clamp_min clone
    constant_pad_nd contiguous copy_ cos cumsum detach div div_ dropout elu embedding embedding_bag empty eq erf
    exp expand expand_as fill_ flatten flip floor floor_divide full full_like gather ge gelu gt index
    index_select layer_norm le leaky_relu len linalg_vector_norm linear log logical_and logical_not logical_or
    lt masked_fill masked_fill_ matmul max maximum mean min minimum mish mul mul_ narrow ne neg new_full
    new_ones new_zeros norm numel ones ones_like pad permute pow reciprocal relu remainder repeat
    repeat_interleave reshape rms_norm rsqrt rsub scaled_dot_product_attention scatter select sigmoid sign silu
    sin size slice softmax split split_with_sizes sqrt squeeze stack sub sub_ sum t tan tanh to transpose tril
    triu type_as unbind unflatten unsqueeze view view_as where zeros zeros_like
"""
ALLOWED_PRIM = """
    CallMethod Constant CreateObject GetAttr If ListConstruct ListUnpack Loop NumToTensor RaiseException SetAttr
    TupleConstruct TupleIndex TupleUnpack Uninitialized device dtype min max unchecked_cast
"""
ALLOWED_MKLDNN = "_linear_pointwise _reorder_linear_weight"
ALLOWED = frozenset(
    f"{family}::{name}"
    for family, names in (("aten", ALLOWED_ATEN), ("prim", ALLOWED_PRIM), ("mkldnn", ALLOWED_MKLDNN))
    for name in names.split()
)


@dataclass(frozen=True, slots=True)
class Audit:
    """What the program is made of: how often it has each operator, and the devices that it names."""

    operators: dict[str, int]
    devices: list[str]


def audit(module: torch.jit.ScriptModule) -> Audit:
    """Count the operators of every method; raise ExportRefused for one that may not be there."""
    counted: Counter[str] = Counter()
    for graph in graphs(module):
        _count(graph, counted)
        for node in graph.findAllNodes("aten::dropout", True):
            if _constant(list(node.inputs())[2]) is not False:
                raise ExportRefused("The traced program drops values at random: the model was traced in training.")
        for node in graph.findAllNodes("prim::Constant", True):
            _small_tensors_only(node)
    unknown = sorted(kind for kind in counted if kind not in ALLOWED)
    if unknown:
        raise ExportRefused(
            f"The traced program uses {', '.join(unknown)}, which is not on the list of operators that an artefact may "
            "use (export/rowvec_export/audit.py); report the model, so that the operator can be looked at."
        )
    return Audit(dict(sorted(counted.items())), sorted(set(device_constants(module))))


def _count(block: Any, counted: Counter[str]) -> None:
    for node in block.nodes():
        counted[node.kind()] += 1
        for inner in node.blocks():
            _count(inner, counted)


def _constant(value: Any) -> object:
    return value.toIValue() if value.node().kind() == "prim::Constant" else None


def _small_tensors_only(node: Any) -> None:
    """A scalar tensor works on every device; a larger one would pin the program to the device of the trace."""
    if node.hasAttribute("value") and node.kindOf("value") == "t" and node.t("value").dim() > 0:
        shape = list(node.t("value").shape)
        raise ExportRefused(f"The trace baked a tensor of shape {shape} in, so it holds for one length or device only.")
