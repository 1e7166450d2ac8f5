"""Open a TorchScript model and give its linear layers the fastest kernels of this machine with the same numbers."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import torch

from rowvec.errors import ArtefactError, SettingsError


class Kernel(IntEnum):
    """What a packed leaf is told by `pack`; the numbers are part of the artefact's format."""

    PLAIN = 0  # F.linear: MKL on x86
    ONEDNN = 1  # oneDNN, fp32, weights laid out beforehand
    BF16 = 2  # oneDNN, bf16, weights laid out beforehand
    BF16_CAST = 3  # F.linear in bf16: for a GPU
    FP16_CAST = 4  # F.linear in fp16: for a GPU


# Plain is chosen below this share of oneDNN's time only: packed layers can be fused (see `fusion`), which is worth 5 to
# 15 % of a forward, and on Intel, where the two are near each other, the noise of the trial must not decide.
_CLEARLY_FASTER = 0.85
_TRIAL_TOKENS = 128  # enough to tell 2.4 times from 1.0; at 512 the trial took longer than reading the file


def use_threads(threads: int) -> None:
    """Let the kernels of this Python thread use so many cores, whatever other threads use.

    torch sets up a Python thread when it is first asked anything, with the number that was set last in any thread, and
    a number set before that is lost. So it is asked first.
    """
    torch.get_num_threads()
    torch.set_num_threads(threads)


@contextmanager
def quiet_torchscript() -> Iterator[None]:
    """Silence torch's notice that TorchScript is deprecated, and nothing else."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", message=r".*torch\.jit.*", category=category)
        yield


def open_module(path: Path, *, made_with: str, device: str = "cpu") -> torch.jit.ScriptModule:
    """Load a model in eval mode; ArtefactError, naming both versions of torch, when that fails."""
    # The profiling executor specialises the graph for the first shapes that it sees. A new shape then takes 66 ms
    # instead of 26, memory after 40 shapes grows by 38 MB instead of 2, and throughput is the same.
    for switch in ("_jit_set_profiling_executor", "_jit_set_profiling_mode"):
        if hasattr(torch._C, switch):
            getattr(torch._C, switch)(False)
    # With "medium" or "high" matmul precision, which the process may have set, a CPU with AMX rounds fp32 products to
    # bf16, and a GPU to TF32.
    for backend in (torch.backends.mkldnn, torch.backends.cuda):
        if hasattr(backend, "matmul") and hasattr(backend.matmul, "fp32_precision"):
            backend.matmul.fp32_precision = "ieee"
    try:
        with quiet_torchscript():
            module: torch.jit.ScriptModule = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
    except Exception as error:  # torch raises RuntimeError, ValueError and pickle's own
        first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ArtefactError(
            f"{path}: {first_line} (made with torch {made_with}, this is {torch.__version__})",
            hint="Use the torch that the model was exported with, or newer; or export it again with this one.",
        ) from error
    return module.eval()


def packed_leaves(module: torch.jit.ScriptModule) -> list[Any]:
    """Return the layers that can be repacked."""
    return [part for part in module.modules() if hasattr(part, "pack")]


def bf16_supported() -> bool:
    """Return whether this CPU multiplies bf16 in hardware; else torch's bf16 is a hundred times slower than fp32."""
    capable = getattr(torch.cpu, "_is_avx512_bf16_supported", None), getattr(torch.cpu, "_is_amx_tile_supported", None)
    return any(check is not None and check() for check in capable)


def choose_exact(leaves: list[Any]) -> Kernel:
    """Time plain against oneDNN fp32 on the model's own layer shapes, about 10 ms each; take the faster.

    AMD: oneDNN is 2.4 times as fast (MKL has no full-speed path there). Intel: the two are close, and then oneDNN is
    taken, because it can compute the activation that follows in the same pass (see `fusion`).
    """
    if not leaves or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return Kernel.PLAIN
    samples = {tuple(leaf.weight.shape): leaf for leaf in leaves}
    total = dict.fromkeys((Kernel.PLAIN, Kernel.ONEDNN), 0.0)
    with torch.inference_mode():
        for shape, count in Counter(tuple(leaf.weight.shape) for leaf in leaves).items():
            for kernel, seconds in _compare(samples[shape], torch.randn(_TRIAL_TOKENS, shape[1])).items():
                total[kernel] += count * seconds
    return Kernel.PLAIN if total[Kernel.PLAIN] < total[Kernel.ONEDNN] * _CLEARLY_FASTER else Kernel.ONEDNN


def pack(leaves: list[Any], kernel: Kernel) -> None:
    """Give every leaf its kernel and free the fp32 weights that the kernel does not read."""
    for leaf in leaves:
        leaf.pack(int(kernel))
        leaf.release()


def choose_lossy(leaves: list[Any], precision: str, device: str) -> Kernel:
    """Return the kernel of bf16 or fp16; SettingsError where it would be slow or not possible."""
    if not leaves:
        raise SettingsError(f"ROWVEC_PRECISION: this model was exported without layers that can run in {precision}")
    if device != "cpu":
        return Kernel.BF16_CAST if precision == "bf16" else Kernel.FP16_CAST
    if precision == "fp16":
        raise SettingsError(
            "ROWVEC_PRECISION: fp16 is for a GPU, and this runs on the CPU",
            hint="Use fp32, or bf16 where the CPU has it; a model that was added as fp16 needs a machine with a GPU.",
        )
    if not bf16_supported():
        raise SettingsError(
            "ROWVEC_PRECISION: this CPU has no bf16 instructions (AVX512_BF16 or AMX)",
            hint="Use fp32, or a machine that has them; `grep -o avx512_bf16 /proc/cpuinfo` tells.",
        )
    return Kernel.BF16


def _compare(leaf: Any, tokens: torch.Tensor) -> dict[Kernel, float]:
    """Return each exact kernel's best time of one call, the two taken in turns so that a busy machine slows both."""
    best = dict.fromkeys((Kernel.PLAIN, Kernel.ONEDNN), float("inf"))
    for _ in range(2):
        for kernel in best:
            leaf.pack(int(kernel))
            leaf(tokens)
            for _ in range(3):
                start = time.perf_counter()
                leaf(tokens)
                best[kernel] = min(best[kernel], time.perf_counter() - start)
    return best
