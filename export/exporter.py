"""From a model's files to an artefact: find, read, load, trace, prove, write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.errors import ExportRefused
from export import artefact, backbone, chain, parity, sources, tokenizer, tracing
from export.chain import POOLER, Chain
from export.model import SentenceModel, build
from export.texts import EDGES, GOLDEN

# Keys of config.json that do not change a vector.
COSMETIC = frozenset(
    {
        "transformers_version",
        "_name_or_path",
        "dtype",
        "torch_dtype",
        "architectures",
        "use_cache",
        "gradient_checkpointing",
    }
)


@dataclass(frozen=True, slots=True)
class Exported:
    """An artefact on disk; `created` is False where the same one already lay there."""

    directory: Path
    manifest: dict[str, Any]
    created: bool

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.manifest["name"])

    @property
    def fingerprint(self) -> str:
        """The model's identity, hex sha256."""
        return str(self.manifest["fingerprint"])


def export_model(
    model: str,
    out: Path,
    *,
    name: str | None = None,
    revision: str | None = None,
    pooling: str | None = None,
    max_tokens: int | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    dims: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Exported:
    """Export MODEL (a folder, a packaged model's name, a hub id) to the folder `out`.

    The same input gives the same fingerprint; where `out` holds it already, nothing is written. `dims` is a
    Matryoshka cut. Raises ExportRefused, in one line, for a model whose numbers cannot be kept or proven.
    """
    say = progress or (lambda _message: None)
    files = sources.find(model, revision=revision, allow_pickle=allow_pickle)
    declared = chain.read(files, pooling_name=pooling)
    settings = declared.transformer_config
    say(f"loading {files.id}")
    folder = files.folder / declared.first_path
    config = backbone.load_config(folder, settings.get("config_kwargs") or {}, trust_remote_code=trust_remote_code)
    tokens = tokenizer.load(folder, config, settings, max_tokens=max_tokens, trust_remote_code=trust_remote_code)
    transformer = backbone.load_model(
        folder,
        config,
        pooler=POOLER in declared.pooling,
        trust_remote_code=trust_remote_code,
        allow_pickle=allow_pickle,
    )
    whole = build(
        backbone.Backbone(transformer, pooler=POOLER in declared.pooling),
        declared,
        files.folder,
        dims=dims,
        allow_pickle=allow_pickle,
    )
    manifest = _manifest(files, declared, config, tokens, whole, name=name, dims=dims)
    if artefact.existing_fingerprint(out) == manifest["fingerprint"]:
        say(f"{out} holds this model already ({manifest['fingerprint'][:12]})")
        return Exported(out, manifest, created=False)

    texts = [*GOLDEN, *EDGES]
    ids = tokens.ids(texts)
    rows = parity.id_rows(ids, tokens.max_tokens)
    expected = parity.run(whole, rows, tokens.pad_id, 1)
    say("tracing")
    traced = tracing.trace(whole, tracing.example(config, tokens.pad_id, tokens.clean.get_vocab_size()))
    say("checking the numbers")
    measured = parity.check(traced.module, lambda _rows: expected, rows, tokens.pad_id, "transformers")
    manifest["parity"] = measured.as_dict()
    golden_ids = tokens.ids(list(GOLDEN))
    vectors = parity.run(traced.module, golden_ids, tokens.pad_id, 1)
    golden = {"texts": list(GOLDEN), "ids": golden_ids, "vectors": [_short(vector) for vector in vectors]}
    say(f"writing {out}")
    artefact.write(out, traced.module, tokens.clean, manifest, golden)
    return Exported(out, manifest, created=True)


def _manifest(
    files: sources.ModelFiles,
    declared: Chain,
    config: Any,
    tokens: tokenizer.LoadedTokenizer,
    whole: SentenceModel,
    *,
    name: str | None,
    dims: int | None,
) -> dict[str, Any]:
    """Everything but `parity` and `files`."""
    width = _width(whole, tokens)
    weights = [path for path in files.folder.rglob("*") if path.suffix in sources.SAFE_SUFFIXES and path.is_file()]
    steps = [{"kind": step.kind, **step.config} for step in declared.after]
    if dims is not None:
        steps.append({"kind": "Cut", "dims": dims})
    # The file as it is, not the loaded object: that one gains keys with every release of transformers.
    written = files.json(f"{declared.first_path}/config.json".lstrip("/"))
    semantic = {key: value for key, value in written.items() if key not in COSMETIC}
    manifest: dict[str, Any] = {
        "format": artefact.FORMAT,
        "name": name or files.id.rsplit("/", 1)[-1],
        "fingerprint": "",
        "dims": width,
        "matryoshka_dims": [],
        "max_tokens": tokens.max_tokens,
        "pad_id": tokens.pad_id,
        "pooling": "+".join(declared.pooling),
        "normalized": declared.normalized,
        "similarity": declared.similarity,
        "prompts": dict(declared.prompts),
        "source": {
            "id": files.id,
            "revision": files.revision,
            "sha256": sources.weights_sha256(files.folder, weights),
        },
        "architecture": config.model_type,
        "config_sha256": hashlib.sha256(artefact.canonical(semantic)).hexdigest(),
        "tokenizer_sha256": artefact.tokenizer_sha256(tokens.clean),
        "chain": steps,
        "versions": versions(),
    }
    manifest["fingerprint"] = artefact.fingerprint(manifest)
    return manifest


def versions() -> dict[str, str]:
    """The releases that made the artefact."""
    found = {}
    for package in ("torch", "transformers", "tokenizers", "sentence-transformers"):
        try:
            found[package.replace("-", "_")] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _width(whole: SentenceModel, tokens: tokenizer.LoadedTokenizer) -> int:
    with torch.inference_mode():
        vectors: Tensor = whole(*parity.pad(tokens.ids(["one", "two words"]), tokens.pad_id))
    if vectors.dim() != 2:
        raise ExportRefused("The chain does not end in one vector a text; choose another --pooling.")
    return int(vectors.shape[1])


def _short(vector: Tensor) -> Sequence[float]:
    """Floats that read back as the same float32: 9 digits are enough."""
    return [float(f"{value:.9g}") for value in vector.tolist()]
