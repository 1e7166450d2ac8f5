"""Load an exported model as an encoder. This is the one place that imports torch, and only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rowvec.encode.cores import tame_torch

if TYPE_CHECKING:
    from rowvec.encode.torchscript import TorchScriptEncoder
    from rowvec.settings import Precision


def load(
    directory: Path,
    *,
    fingerprint: str | None,
    precision: Precision,
    threads: int | None,
    max_batch_tokens: int | None,
    device: str | None = None,
) -> TorchScriptEncoder:
    """Load an exported model, choose its fastest exact kernels on this machine, and prove it on its golden texts.

    With `fingerprint`, refuse any other model. `threads` is the total of CPU threads (default: what affinity and cgroup
    allow), `max_batch_tokens` the padded tokens of a micro-batch (default: chosen at load), `device` "cpu" or "cuda"
    (default: a GPU where there is one). Raises ArtefactError or ModelMismatch; SettingsError when bf16 is asked of a
    CPU that lacks it, or fp16 of any CPU.
    """
    tame_torch()
    from rowvec.encode.torchscript import TorchScriptEncoder  # imports torch: 1.3 s

    return TorchScriptEncoder.load(
        directory,
        fingerprint=fingerprint,
        precision=precision,
        threads=threads,
        max_batch_tokens=max_batch_tokens,
        device=device,
    )
