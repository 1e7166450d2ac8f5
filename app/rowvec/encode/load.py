"""Load an exported model as an encoder; torch is imported only when that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rowvec.encode.artefact import read_manifest
from rowvec.encode.cores import cap_tokenizer_threads, tame_torch, usable_cores
from rowvec.errors import ModelMismatch

if TYPE_CHECKING:
    from rowvec.encode.torchscript import TorchScriptEncoder
    from rowvec.settings import Precision


def load(
    directory: str | Path,
    *,
    fingerprint: str | None = None,
    precision: Precision = "fp32",
    threads: int | None = None,
    max_batch_tokens: int | None = None,
    device: str | None = None,
) -> TorchScriptEncoder:
    """Load an exported model, choose its fastest kernels on this machine, and check it on its golden texts.

    `encode(texts)` then gives float32 of shape (len(texts), dims). With `fingerprint`, any other model is refused.
    `threads` is the total of CPU threads (default: what affinity and cgroup allow), `max_batch_tokens` the padded
    tokens of a micro-batch (default: 512 on a CPU), `device` "cpu" or "cuda" (default: a GPU where there is one).

    Raises ArtefactError for a folder that is incomplete, changed or gives other numbers than at export, ModelMismatch
    for another model, and SettingsError when bf16 is asked of a CPU that lacks it, or fp16 of any CPU.
    """
    manifest = read_manifest(Path(directory))
    if fingerprint is not None and manifest.fingerprint != fingerprint:
        raise ModelMismatch(
            f"{directory} holds {manifest.name} {manifest.fingerprint[:12]}…, wanted is {fingerprint[:12]}…",
            hint="Two models' vectors are never mixed: point ROWVEC_MODEL_DIR to the right model.",
        )
    threads = threads or usable_cores()
    tame_torch()
    cap_tokenizer_threads(threads)
    from rowvec.encode.torchscript import TorchScriptEncoder  # imports torch: 1.3 s

    return TorchScriptEncoder(
        manifest, precision=precision, threads=threads, max_batch_tokens=max_batch_tokens, device=device
    )
