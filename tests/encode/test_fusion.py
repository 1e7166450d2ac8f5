"""The rewrites at load: they are made where they may be, the numbers stay, and what is not understood is left alone."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from rowvec.encode import kernels
from rowvec.encode.fusion import fuse
from rowvec.encode.kernels import Kernel
from rowvec_export.packed import swap_linears

needs_bf16 = pytest.mark.skipif(not kernels.bf16_supported(), reason="this CPU has no bf16")


class Block(nn.Module):
    """Attention over two heads, then a feed-forward with some activation; `mask` makes the attention's mask."""

    def __init__(self, act: Callable[[Tensor], Tensor], mask: Callable[[Tensor], Tensor | None]) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(32, 32) for _ in range(4))
        self.up, self.down = nn.Linear(32, 64), nn.Linear(64, 32)
        self.act, self.mask = act, mask

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the shape of x, [B, L, 32]."""
        shape = (*x.shape[:2], 2, 16)
        query, key, value = (one(x).view(shape).transpose(1, 2) for one in (self.query, self.key, self.value))
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=self.mask(mask))
        x = x + self.out(attended.transpose(1, 2).reshape(x.shape))
        y: Tensor = self.down(self.act(self.up(x)))
        return x + y


def boolean(mask: Tensor) -> Tensor:
    return mask[:, None, None, :] > 0


def additive(mask: Tensor) -> Tensor:
    return (1.0 - mask[:, None, None, :].float()) * -1e4


def both(module: nn.Module, kernel: Kernel) -> tuple[Any, Any, Any]:
    """Return the plain module, the packed one and the fused one."""
    inputs = torch.randn(2, 5, 32), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    three = [copy.deepcopy(module).eval() for _ in range(3)]
    for one in three:
        swap_linears(one)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*torch\.jit.*", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r".*torch\.jit.*", category=FutureWarning)
        plain, packed, fused = (torch.jit.trace(one, inputs) for one in three)  # type: ignore[no-untyped-call]
    for part in (packed, fused):
        kernels.pack(kernels.packed_leaves(part), kernel)
    return plain, packed, fuse(fused, bf16=kernel is Kernel.BF16)


def count(module: Any, kind: str) -> int:
    return len(list(module.graph.findAllNodes(kind)))


def worst(module: Any, other: Any) -> float:
    """Return the largest difference over some shapes."""
    torch.manual_seed(3)
    differences = list[float]()
    with torch.inference_mode():
        for rows, length in ((1, 1), (2, 5), (3, 17), (8, 4)):
            x = torch.randn(rows, length, 32)
            mask = torch.ones(rows, length, dtype=torch.int64)
            mask[0, length // 2 + 1 :] = 0
            differences.append((module(x, mask) - other(x, mask)).abs().max().item())
    return max(differences)


@pytest.mark.parametrize("act", [F.gelu, F.relu, lambda x: F.gelu(x, approximate="tanh")])
def test_an_activation_goes_into_its_linear_and_the_numbers_stay(act: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    plain, packed, fused = both(Block(act, boolean), Kernel.ONEDNN)
    assert count(fused, "aten::gelu") + count(fused, "aten::relu") == 0
    assert worst(plain, fused) <= 2e-6
    assert worst(packed, fused) <= 2e-6


def test_an_activation_whose_input_is_read_twice_is_left_alone() -> None:
    torch.manual_seed(0)
    plain, _, fused = both(Block(lambda x: F.gelu(x) * x, boolean), Kernel.ONEDNN)
    assert count(fused, "aten::gelu") == 1
    assert worst(plain, fused) <= 2e-6


def test_an_activation_that_onednn_lacks_is_left_alone() -> None:
    torch.manual_seed(0)
    plain, _, fused = both(Block(F.mish, boolean), Kernel.ONEDNN)
    assert count(fused, "aten::mish") == 1
    assert worst(plain, fused) <= 2e-6


@pytest.mark.parametrize("kernel", [Kernel.ONEDNN, pytest.param(Kernel.BF16, marks=needs_bf16)])
def test_attention_gets_its_keys_in_whole_vectors(kernel: Kernel) -> None:
    class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
        """Notes the keys that attention is given."""

        def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if "scaled_dot_product" in func.name():
                keys.append(args[1].size(-2))
            return func(*args, **(kwargs or {}))

    torch.manual_seed(0)
    _, packed, fused = both(Block(F.gelu, boolean), kernel)
    for length, wanted in ((3, 3), (4, 4), (5, 16), (14, 16), (16, 16), (17, 17), (20, 20), (22, 32), (31, 32)):
        keys = list[int]()
        x, mask = torch.randn(2, length, 32), torch.ones(2, length, dtype=torch.int64)
        mask[0, length // 2 + 1 :] = 0
        with torch.no_grad():
            with Watch():  # type: ignore[no-untyped-call]
                found = fused(x, mask)
            assert (found - packed(x, mask)).abs().max() <= (2e-6 if kernel is Kernel.ONEDNN else 0.05)
        assert set(keys) == {wanted}, length


@needs_bf16
def test_in_bf16_only_the_casts_that_change_something_stay() -> None:
    """In: the block's x, widened attention and feed-forward results for the sums; all else stays bf16."""
    torch.manual_seed(0)
    plain, packed, fused = both(Block(F.gelu, boolean), Kernel.BF16)
    assert count(fused, "aten::to") == 4
    assert count(fused, "aten::gelu") == 0
    assert worst(plain, fused) <= 0.05
    assert worst(plain, fused) <= 1.5 * worst(plain, packed)


@needs_bf16
@pytest.mark.parametrize("mask", [additive, lambda _mask: None])
def test_attention_is_narrowed_only_under_a_mask_of_any_dtype(mask: Callable[[Tensor], Tensor | None]) -> None:
    torch.manual_seed(0)
    plain, _, fused = both(Block(F.gelu, mask), Kernel.BF16)
    kept = [node.inputsAt(0).node().kind() for node in fused.graph.findAllNodes("aten::to")]
    widened_before = kept.count("mkldnn::_linear_pointwise") > 2  # the two that are there are for the sums
    assert widened_before == (mask is additive)
    assert worst(plain, fused) <= 0.05


@needs_bf16
def test_a_value_that_somebody_reads_in_fp32_stays_fp32() -> None:
    class Reader(Block):
        """Also returns what the query's linear gave."""

        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            """Return the shape of x."""
            query = self.query(x)
            assert query.dtype == torch.float32
            shape = (*x.shape[:2], 2, 16)
            q, key, value = (one.view(shape).transpose(1, 2) for one in (query, self.key(x), self.value(x)))
            attended = F.scaled_dot_product_attention(q, key, value, attn_mask=self.mask(mask))
            y: Tensor = self.out(attended.transpose(1, 2).reshape(x.shape)) + query.softmax(-1)
            return y

    torch.manual_seed(0)
    plain, packed, fused = both(Reader(F.gelu, boolean), Kernel.BF16)
    assert worst(plain, fused) <= 0.05
    with torch.inference_mode():
        x, mask = torch.randn(2, 5, 32), torch.ones(2, 5, dtype=torch.int64)
        assert fused(x, mask).dtype == packed(x, mask).dtype == torch.float32
