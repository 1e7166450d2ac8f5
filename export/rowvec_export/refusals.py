"""What cannot be exported with the same numbers, refused before anything is loaded: in one line, why and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rowvec.errors import ExportRefused
from rowvec_export.sources import PICKLE_SUFFIXES, ModelFiles

# pgvector 0.8: HNSW and IVFFlat index at most 2,000 dimensions of `vector` and 4,000 of `halfvec`.
INDEXABLE_VECTOR, INDEXABLE_HALFVEC = 2000, 4000

_SPARSE = "it is a sparse encoder (SPLADE): one weight a word of the vocabulary, not a dense vector; use a dense model."
_MULTI = "it is a multi-vector model (ColBERT): one vector a token, not one a text; use a single-vector model."
_CROSS = "it is a cross-encoder: it scores pairs of texts and has no vector of one; export a bi-encoder."
_CLIP = "it embeds images and texts together (CLIP); only text encoders can be exported."
_WORDS = "it counts or averages words by a tokenizer of its own; use a transformer or a static model."
MODULES: Mapping[str, str] = {
    "Router": "it takes another path for queries than for documents; export the two sides as two models.",
    "Asym": "it takes another path for queries than for documents; export the two sides as two models.",
    "MLMTransformer": _SPARSE,
    "SpladePooling": _SPARSE,
    "SparseAutoEncoder": _SPARSE,
    "CSRSparsity": _SPARSE,
    "IDF": _SPARSE,
    "SparseStaticEmbedding": _SPARSE,
    "MultiVectorMask": _MULTI,
    "TokenPooling": _MULTI,
    "ColBERT": _MULTI,
    "LogitScore": _CROSS,
    "CrossEncoder": _CROSS,
    "CLIPModel": _CLIP,
    "WordWeights": _WORDS,
    "WordEmbeddings": _WORDS,
    "BoW": _WORDS,
    "CNN": "it has a CNN behind word vectors; use a transformer or static model.",
    "LSTM": "it has an LSTM behind word vectors; use a transformer or static model.",
    "WeightedLayerPooling": "it mixes the layers of the transformer; only the last layer can be pooled.",
}
MODEL_TYPES: Mapping[str, str] = {"CrossEncoder": _CROSS, "SparseEncoder": _SPARSE, "MultiVectorEncoder": _MULTI}
_CLIP_TYPES = ("clip", "siglip", "siglip2", "chinese_clip", "altclip", "clipseg", "blip", "align", "xclip")
_MIXTURE_KEYS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_every_n_layers")


def check_files(files: ModelFiles, *, trust_remote_code: bool, allow_pickle: bool) -> None:
    """Raise ExportRefused for a folder whose files already say that it cannot be exported."""
    entries = files.entries("modules.json")
    first = str(entries[0].get("path") or "") if entries else ""  # older models keep their transformer in a sub-folder
    config = files.json(f"{first}/config.json".lstrip("/"))
    _sentence_files(files, trust_remote_code)
    if (files.folder / "adapter_config.json").is_file():
        raise _no(files, "its weights are an unmerged adapter (LoRA); merge it into its base (peft: merge_and_unload).")
    if config.get("lora_adaptations"):
        raise _no(files, "it chooses among task adapters at run time; merge one task's adapter and export the result.")
    if (files.folder / "artifact.metadata").is_file():
        raise _no(files, _MULTI)
    _architecture(files, config)
    if config.get("quantization_config"):
        raise _no(files, "its weights are quantised; give the original (bf16 is a choice of the daemon's).")
    if any(config.get(key) for key in _MIXTURE_KEYS):
        raise _no(files, "it is a mixture of experts: its weights depend on the text, and a trace fixes them.")
    if "auto_map" in config and not trust_remote_code and not _native(config):
        raise _no(files, "its code comes with the model; read that code, then pass --trust-remote-code to run it.")
    _weights(files, allow_pickle)


def check_dims(dims: int, name: str, known: list[int]) -> None:
    """Raise ExportRefused for vectors that pgvector cannot index: more than 4,000 numbers."""
    if dims <= INDEXABLE_HALFVEC:
        return
    cut = [size for size in known if size <= INDEXABLE_HALFVEC]
    advice = f"pass --dims {max(cut)}" if cut else "if it was trained for Matryoshka cuts, pass --dims with one of them"
    raise ExportRefused(
        f"{name} gives {dims:,} dimensions and pgvector indexes at most {INDEXABLE_VECTOR:,} (vector) or "
        f"{INDEXABLE_HALFVEC:,} (halfvec); {advice}."
    )


def _no(files: ModelFiles, why: str) -> ExportRefused:
    return ExportRefused(f"{files.id} cannot be exported: {why}")


def _sentence_files(files: ModelFiles, trust_remote_code: bool) -> None:
    declared = str(files.json("config_sentence_transformers.json").get("model_type") or "")
    if declared in MODEL_TYPES:
        raise _no(files, MODEL_TYPES[declared])
    for entry in files.entries("modules.json"):
        path, _, kind = str(entry.get("type", "")).rpartition(".")
        if kind in MODULES:
            raise _no(files, MODULES[kind])
        if not path.startswith("sentence_transformers") and path:
            hint = "" if trust_remote_code else " (--trust-remote-code runs a transformer's code, not a module's)"
            raise _no(files, f"its module {path}.{kind} is code of its own that this exporter cannot read{hint}.")


def _architecture(files: ModelFiles, config: Mapping[str, Any]) -> None:
    names = [str(name) for name in config.get("architectures") or []]
    kind = str(config.get("model_type", ""))
    if kind in _CLIP_TYPES or any(name.startswith(("CLIP", "Siglip")) for name in names):
        raise _no(files, _CLIP)
    if any("ColBERT" in name or name.endswith("ForRetrieval") for name in names):
        raise _no(files, _MULTI)
    if any(name.endswith("ForSequenceClassification") for name in names) and not files.entries("modules.json"):
        raise _no(files, _CROSS)


def _native(config: Mapping[str, Any]) -> bool:
    """Whether transformers itself knows the model, so that the code beside it is not needed."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    return str(config.get("model_type")) in CONFIG_MAPPING


def _weights(files: ModelFiles, allow_pickle: bool) -> None:
    safe = sorted(files.folder.rglob("*.safetensors"))
    pickled = sorted(path for path in files.folder.rglob("*") if path.suffix in PICKLE_SUFFIXES)
    if not safe and pickled and not allow_pickle:
        raise _no(
            files,
            f"its weights are pickled ({_relative(pickled[0], files.folder)}), and loading a pickle can run code; "
            "convert them to safetensors, or pass --allow-pickle if you trust whoever made them.",
        )
    if not safe and not pickled:
        raise _no(files, "its folder holds no weights; download the whole repository.")


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
