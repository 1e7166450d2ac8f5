"""The manifest: what a model is, in the words that the runtime reads; and the fingerprint that is its identity."""

from __future__ import annotations

import json
import re
from importlib import metadata
from typing import Any

import torch

from rowvec.encode.artefact import FORMAT, fingerprint, json_sha256
from rowvec.errors import ExportRefused
from rowvec_export import parity, sources
from rowvec_export.loading import Loaded

# Keys of config.json that do not change a vector.
COSMETIC = frozenset({"transformers_version", "_name_or_path", "dtype", "torch_dtype", "architectures", "use_cache"})


def describe(loaded: Loaded, *, name: str | None) -> dict[str, Any]:
    """Everything but `parity`, `graph` and `files`, which are known only after the trace."""
    files, chain, tokens = loaded.files, loaded.chain, loaded.tokens
    width = _width(loaded)
    steps = [{"kind": step.kind, **step.config} for step in chain.after]
    if loaded.dims is not None:
        steps.append({"kind": "Cut", "dims": loaded.dims})
    # The file as it is, not the loaded object: that one gains keys with every release of transformers.
    written = files.json(f"{chain.first_path}/config.json".lstrip("/"))
    semantic = {key: value for key, value in written.items() if key not in COSMETIC}
    paths = [chain.first_path, *(step.path for step in chain.after if step.kind in ("Dense", "LayerNorm"))]
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "name": name or files.id.rsplit("/", 1)[-1],
        "fingerprint": "",
        "dims": width,
        "matryoshka_dims": [size for size in matryoshka_dims(files) if size < width],
        "max_tokens": tokens.max_tokens,
        "pad_id": tokens.pad_id,
        "pooling": "+".join(chain.pooling) or "mean",
        "include_prompt": chain.include_prompt,
        "normalized": chain.normalized,
        "similarity": chain.similarity,
        "prompts": dict(chain.prompts),
        "source": {
            "id": files.id,
            "revision": files.revision,
            "sha256": sources.weights_sha256(files.folder, files.weights(paths)),
        },
        "architecture": loaded.config.model_type if loaded.config is not None else "static",
        "config_sha256": json_sha256(semantic),
        "tokenizer_sha256": json_sha256(json.loads(tokens.clean.to_str())),
        "chain": steps,
        "versions": versions(),
    }
    manifest["fingerprint"] = fingerprint(manifest)
    return manifest


def versions() -> dict[str, str]:
    """The releases that made the artefact; sentence_transformers only where it is installed."""
    found = {}
    for package in ("torch", "transformers", "tokenizers", "sentence-transformers"):
        try:
            found[package.replace("-", "_")] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def matryoshka_dims(files: sources.ModelFiles) -> list[int]:
    """The widths that the model was trained to be cut to, as its config or its card says; [] where neither does."""
    config = files.json("config.json")
    declared = config.get("matryoshka_dimensions") or config.get("matryoshka_dims")
    card = files.folder / "README.md"
    if not declared and card.is_file():
        found = re.search(r'"matryoshka_dims":\s*\[([\d,\s]+)\]', card.read_text(encoding="utf-8", errors="replace"))
        declared = found.group(1).split(",") if found else []
    return sorted({int(size) for size in declared or []}, reverse=True)


def _width(loaded: Loaded) -> int:
    ids, mask = parity.pad(loaded.tokens.ids(["one", "two words"]), loaded.tokens.pad_id)
    with torch.inference_mode():
        vectors = loaded.whole(ids, mask)
    if vectors.dim() != 2:
        raise ExportRefused("The chain does not end in one vector a text; choose another --pooling.")
    if loaded.dims is not None and vectors.shape[1] != loaded.dims:
        raise ExportRefused(f"--dims {loaded.dims} is more than the model's {vectors.shape[1]}.")
    return int(vectors.shape[1])
