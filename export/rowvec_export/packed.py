"""A linear layer that TorchScript can repack for the CPU on which it is loaded.

A trace freezes the kernels of the machine that made it. So every `nn.Linear` becomes a *scripted* leaf before tracing:
the file stays portable fp32, and whoever loads it calls `pack(mode)` on each leaf. On AMD cores oneDNN's prepacked fp32
kernel runs at 226 GFLOP/s where `F.linear` (MKL) reaches 94; both give the same numbers to 3e-6 a layer.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rowvec.encode.kernels import quiet_torchscript


class PackedLinear(nn.Module):
    """`y = x @ weight.T + bias` for x of any shape [..., in]; scripted, never traced, so that `mode` stays a choice.

    Mode 0 is `F.linear`; 1 is oneDNN's prepacked fp32; 2 is oneDNN's prepacked bf16, with the result cast back to the
    dtype of x (models that mix dtypes, RoPE for one, fail without it); 3 is `F.linear` in bf16 and 4 in fp16, cast
    back too. Modes 1 and 2 are for the CPU only, 3 and 4 for a GPU.
    """

    def __init__(self, linear: nn.Linear) -> None:
        """Take the weight [out, in] and the bias [out] (zeros where the layer has none)."""
        super().__init__()
        bias = linear.bias if linear.bias is not None else linear.weight.new_zeros(linear.out_features)
        self.weight: Tensor = nn.Buffer(linear.weight.detach().clone())
        self.bias: Tensor = nn.Buffer(bias.detach().clone())
        # Plain attributes, not buffers: `.half()` and `.to(device)` must leave a packed weight alone.
        self.packed_weight = torch.empty(0)
        self.packed_bias = torch.empty(0)
        self.mode = 0

    def forward(self, x: Tensor) -> Tensor:
        """Return [..., out] in the dtype of x."""
        if self.mode == 1:
            exact: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.packed_weight, self.packed_bias, "none", [], "")
            return exact
        if self.mode == 2:
            rounded: Tensor = torch.ops.mkldnn._linear_pointwise(
                x.to(torch.bfloat16), self.packed_weight, self.packed_bias, "none", [], ""
            )
            return rounded.to(x.dtype)
        if self.mode >= 3:
            return F.linear(x.to(self.packed_weight.dtype), self.packed_weight, self.packed_bias).to(x.dtype)
        return F.linear(x, self.weight, self.bias)

    @torch.jit.export
    def pack(self, mode: int) -> None:
        """Choose the kernel; may be called again, until `release`."""
        if self.weight.numel() == 0:
            raise RuntimeError("the fp32 weight was released; load the model again to repack it")
        self.mode = mode
        self.packed_weight = torch.empty(0)
        self.packed_bias = torch.empty(0)
        if mode == 1:
            self.packed_weight = torch.ops.mkldnn._reorder_linear_weight(self.weight, None)
            self.packed_bias = self.bias
        if mode == 2:
            self.packed_weight = torch.ops.mkldnn._reorder_linear_weight(self.weight.to(torch.bfloat16), None)
            self.packed_bias = self.bias.to(torch.bfloat16)
        if mode >= 3:
            dtype = torch.bfloat16 if mode == 3 else torch.float16
            self.packed_weight = self.weight.to(dtype)
            self.packed_bias = self.bias.to(dtype)

    @torch.jit.export
    def release(self) -> None:
        """Free the fp32 weight of a packed leaf: without this the model is in memory twice."""
        if self.mode != 0:
            self.weight = torch.empty(0)


def script_leaf(linear: nn.Linear) -> torch.jit.ScriptModule:
    """Return the scripted leaf of one linear layer."""
    with quiet_torchscript():
        leaf: torch.jit.ScriptModule = torch.jit.script(PackedLinear(linear))
    return leaf


def swap_linears(module: nn.Module) -> int:
    """Replace every `nn.Linear` below `module`, in place, by its scripted leaf; return how many there were.

    Subclasses of `nn.Linear` are left alone: they may compute something else.
    """
    swapped = 0
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, script_leaf(child))
            swapped += 1
        else:
            swapped += swap_linears(child)
    return swapped
