"""Run a written artefact in a process of its own that has only torch and tokenizers, as every user of it will.

Started as a script (`python -I sweep.py FOLDER PLAN …`), so it imports nothing of ours; prints its findings as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

SHAPES = ((1, 1), (1, 2), (2, 3), (5, 4), (3, 17), (1, 31), (8, 9), (2, 40), (1, 64), (4, 33), (1, 130), (2, 256))
# transformers is what the artefact must not need; the others would mean that a part of it came along.
FORBIDDEN = ("transformers", "sentence_transformers", "safetensors", "huggingface_hub", "rowvec_export", "rowvec")


def sweep(folder: Path, plan: Path) -> dict[str, Any]:
    """Reload the artefact; compare with the plan's ids and vectors in every shape, two threads, every kernel.

    The plan holds `texts`, `text_ids`, `rows` and `vectors` float32[len(rows),D], `pad_id` and `max_tokens`. Returns
    `ids` (how many texts have other ids), the worst differences `plain` and `threads` (between two threads at once),
    and where oneDNN is there `onednn` (worst difference), and where the CPU can, `bf16` (worst cosine).
    """
    warnings.filterwarnings("ignore", message=r".*torch\.jit.*")
    asked = torch.load(plan, weights_only=True)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(asked["max_tokens"])
    ids = [list(one.ids) for one in tokenizer.encode_batch(asked["texts"])]
    found: dict[str, Any] = {"ids": sum(got != wanted for got, wanted in zip(ids, asked["text_ids"], strict=True))}
    module = torch.jit.load(str(folder / "model.pt"), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    found["plain"] = _worst(module, asked)
    found["threads"] = _two_threads(module, asked)
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        _pack(module, 1)
        found["onednn"] = _worst(module, asked)
        if torch.ops.mkldnn._is_mkldnn_bf16_supported():  # else the packing raises: an AVX2 CPU has no bf16 at all
            _pack(module, 2)
            found["bf16"] = _worst_cosine(module, asked)
    found["imported"] = [name for name in FORBIDDEN if name in sys.modules]
    return found


def _pack(module: Any, mode: int) -> None:
    for child in module.modules():
        if hasattr(child, "pack"):
            child.pack(mode)


def _batches(asked: dict[str, Any]) -> list[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Row numbers, ids and mask of one batch a shape, filled from the plan's rows that fit."""
    batches = []
    for size, width in SHAPES:
        width = min(width, asked["max_tokens"])
        fitting = [index for index, row in enumerate(asked["rows"]) if 0 < len(row) <= width]
        # The longest that fits goes first, so that the batch has the shape's width.
        chosen = sorted(fitting, key=lambda index: -len(asked["rows"][index]))[:: max(1, len(fitting) // size)][:size]
        if not chosen:
            continue
        ids = torch.full((len(chosen), width), asked["pad_id"])
        mask = torch.zeros_like(ids)
        for line, index in enumerate(chosen):
            row = asked["rows"][index]
            ids[line, : len(row)] = torch.tensor(row)
            mask[line, : len(row)] = 1
        batches.append((chosen, ids, mask))
    return batches


def _vectors(module: Any, asked: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    got, wanted = [], []
    with torch.inference_mode():
        for chosen, ids, mask in _batches(asked):
            out = module(ids, mask)
            assert out.dtype == torch.float32, "the artefact must give float32"
            assert out.shape == (len(chosen), asked["vectors"].shape[1]), "the artefact must give [B,D]"
            got.append(out)
            wanted.append(asked["vectors"][chosen])
    return torch.cat(got), torch.cat(wanted)


def _worst(module: Any, asked: dict[str, Any]) -> float:
    got, wanted = _vectors(module, asked)
    return float(((got - wanted) / wanted.norm(dim=-1, keepdim=True).clamp(min=1.0)).abs().max())


def _worst_cosine(module: Any, asked: dict[str, Any]) -> float:
    got, wanted = _vectors(module, asked)
    return float(torch.nn.functional.cosine_similarity(got.double(), wanted.double(), dim=-1).min())


def _two_threads(module: Any, asked: dict[str, Any]) -> float:
    results: list[torch.Tensor] = []
    threads = [threading.Thread(target=lambda: results.append(_vectors(module, asked)[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return float((results[0] - results[1]).abs().max()) if len(results) == 2 else float("inf")


def in_fresh_process(*asked: tuple[Path, Path]) -> list[dict[str, Any]]:
    """Run `sweep` on (folder, plan) pairs in one new interpreter (isolated: no PYTHONPATH, no working directory)."""
    done = subprocess.run(
        [sys.executable, "-I", str(Path(__file__).resolve()), *(str(path) for pair in asked for path in pair)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise RuntimeError(last[0])
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[1:]]
    print(json.dumps([sweep(folder, plan) for folder, plan in zip(paths[::2], paths[1::2], strict=True)]))
