"""The machine's own limit: `python -m rowvec.bench.gemm ARTEFACT THREADS` multiplies a model's matrices only.

Prints one JSON object: GFLOP/s of all threads together in fp32 and in bf16 (null where the CPU lacks it), each by the
fastest kernel that torch has here, and the multiplications that one token of the model needs.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from rowvec.encode import kernels

_ROWS = 1024  # tokens of a multiplication: enough for every kernel to run at its full speed
_SECONDS = 0.4

Multiply = Callable[[Tensor], Tensor]


def main(artefact: str, threads: str) -> None:
    """Measure and print."""
    leaves = kernels.packed_leaves(kernels.open_module(Path(artefact) / "model.pt", made_with="unknown"))
    shapes = Counter(tuple(leaf.weight.shape) for leaf in leaves)
    limits: dict[str, float | None] = {"fp32": None, "bf16": None}
    with torch.inference_mode():
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            if name == "fp32" or kernels.bf16_supported():
                limits[name] = max(_gflops(make, shapes, dtype, int(threads)) for make in (_plain, _packed))
    per_token = 2 * sum(rows * columns * count for (rows, columns), count in shapes.items())
    print(json.dumps({"gflops": limits, "flops_per_token": per_token}))


def _plain(weight: Tensor) -> Multiply:
    return lambda x: F.linear(x, weight)


def _packed(weight: Tensor) -> Multiply:
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, None)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")


def _gflops(
    make: Callable[[Tensor], Multiply], shapes: Counter[tuple[int, int]], dtype: torch.dtype, threads: int
) -> float:
    """Return the GFLOP/s of `threads` threads that each run the model's multiplications for a while."""
    work = [
        (make(torch.randn(shape).to(dtype)), torch.randn(_ROWS, shape[1]).to(dtype), n) for shape, n in shapes.items()
    ]
    flops = sum(2 * _ROWS * rows * columns * count for (rows, columns), count in shapes.items())
    barrier = threading.Barrier(threads)
    rates: list[float] = []

    def run() -> None:
        kernels.use_threads(1)
        with torch.inference_mode():
            for multiply, x, _ in work:
                multiply(x)
            barrier.wait()
            start, rounds = time.perf_counter(), 0
            while time.perf_counter() - start < _SECONDS:
                for multiply, x, count in work:
                    for _ in range(count):
                        multiply(x)
                rounds += 1
            rates.append(rounds * flops / (time.perf_counter() - start) / 1e9)

    runners = [threading.Thread(target=run) for _ in range(threads)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return sum(rates)


if __name__ == "__main__":
    main(*sys.argv[1:])
