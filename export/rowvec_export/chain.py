"""Read what a model's folder says about itself: the modules after the transformer, limits, prompts, similarity.

Two generations of sentence-transformers write these files differently; a plain transformers folder has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rowvec.errors import ExportRefused
from rowvec_export import pooling
from rowvec_export.sources import ModelFiles

POOLER = "pooler"  # BERT's own sentence vector: a dense layer with tanh over the first token
TRANSFORMER_CONFIGS = tuple(
    f"sentence_{kind}_config.json" for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta")
)
QUERY_PROMPTS = ("query",)
DOCUMENT_PROMPTS = ("document", "passage", "corpus")
SUPPORTED = ("Transformer", "Pooling", "Dense", "LayerNorm", "Normalize", "Dropout", "StaticEmbedding")


@dataclass(frozen=True, slots=True)
class Step:
    """One module after the transformer: its class name, its folder inside the model's, its configuration."""

    kind: str
    path: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chain:
    """Everything between ids and vector that the files declare."""

    first: str  # "Transformer" or "StaticEmbedding"
    first_path: str
    transformer_config: Mapping[str, Any]
    pooling: tuple[str, ...]
    include_prompt: bool
    after: tuple[Step, ...]
    prompts: Mapping[str, str]
    similarity: str
    truncate_dims: int | None
    declared: bool  # False for a plain transformers folder
    pooling_chosen: bool  # by the caller, not by the files

    @property
    def normalized(self) -> bool:
        """Whether the vectors leave with length 1."""
        kinds = [step.kind for step in self.after if step.kind != "Dropout"]
        return bool(kinds) and kinds[-1] == "Normalize"


def read(files: ModelFiles, *, pooling_name: str | None = None) -> Chain:
    """Read the chain of a folder; raise ExportRefused for a module that is not known or a pooling that is missing."""
    modules = _modules(files)
    config = files.json("config_sentence_transformers.json")
    similarity = str(config.get("similarity_fn_name") or "cosine")
    if similarity not in ("cosine", "dot", "euclidean"):
        raise ExportRefused(
            f"The model is compared by {similarity!r}; pgvector indexes cosine, dot and euclidean only."
        )
    common: dict[str, Any] = {
        "prompts": prompts_of(config),
        "similarity": similarity,
        "truncate_dims": config.get("truncate_dim"),
    }
    if not modules:
        return _plain(files, pooling_name, common)
    first, *rest = modules
    if first.kind not in ("Transformer", "StaticEmbedding"):
        raise ExportRefused(
            f"The model begins with {first.kind}, not with a transformer; no text encoder can be made of it."
        )
    modes: tuple[str, ...] = ()
    include_prompt = True
    if rest and rest[0].kind == "Pooling":
        modes = pooling.from_config(dict(rest[0].config))
        include_prompt = bool(rest[0].config.get("include_prompt", True))
        rest = rest[1:]
    if pooling_name:
        modes = (POOLER,) if pooling_name == POOLER else pooling.parse(pooling_name)
    if first.kind == "Transformer" and not modes:
        modes = _pooled_by_the_model(first)
    _check_transformer(first.config)
    if any(step.kind in ("Transformer", "Pooling", "StaticEmbedding") for step in rest):
        raise ExportRefused("The model pools twice or holds two encoders; only one text encoder can be exported.")
    return Chain(
        first=first.kind,
        first_path=first.path,
        transformer_config=first.config,
        pooling=modes,
        include_prompt=include_prompt,
        after=tuple(rest),
        declared=True,
        pooling_chosen=bool(pooling_name),
        **common,
    )


def prompts_of(config: Mapping[str, Any]) -> dict[str, str]:
    """The prompt of each side, "" for none: by its own name first, else by the default prompt's.

    sentence-transformers 6 puts an empty "document" before a saved "passage" (so `encode_document` of an e5 model
    has no prompt at all); here the name that the model's author saved wins.
    """
    saved = {str(name): str(text) for name, text in (config.get("prompts") or {}).items() if text is not None}
    default = config.get("default_prompt_name")

    def side(names: tuple[str, ...], other: tuple[str, ...]) -> str:
        for name in names:
            if saved.get(name):
                return saved[name]
        if default in saved and default not in other and not any(name in saved for name in names):
            return saved[default]
        return ""

    return {
        "query": side(QUERY_PROMPTS, DOCUMENT_PROMPTS),
        "document": side(DOCUMENT_PROMPTS, QUERY_PROMPTS),
    }


def _modules(files: ModelFiles) -> list[Step]:
    steps = []
    for entry in files.entries("modules.json"):
        kind = str(entry["type"]).rsplit(".", 1)[-1]
        where = str(entry.get("path") or "")
        if kind not in SUPPORTED:
            raise ExportRefused(f"The module {kind} is not known; {', '.join(SUPPORTED)} can be exported.")
        if kind == "Transformer":
            names = [f"{where}/{name}".lstrip("/") for name in TRANSFORMER_CONFIGS]
            config = next((found for name in names if (found := files.json(name))), {})
        else:
            config = files.json(f"{where}/config.json".lstrip("/"))
        steps.append(Step(kind, where, config))
    return steps


def _check_transformer(config: Mapping[str, Any]) -> None:
    """Refuse what sentence-transformers would do to a text before or after the transformer and this chain does not."""
    modalities = config.get("modality_config") or {}
    if "message" in modalities:
        raise ExportRefused("The model sends each text through a chat template, which an artefact cannot.")
    if modalities and "text" not in modalities:
        raise ExportRefused(f"The model takes {', '.join(modalities)}, not text.")
    if config.get("transformer_task", "feature-extraction") != "feature-extraction":
        raise ExportRefused(f"The task is {config['transformer_task']}; only feature-extraction gives vectors.")
    for key in ("query_length", "document_length", "query_expansion"):
        if config.get(key) is not None:
            raise ExportRefused(
                f"The model sets {key}: queries and documents have different limits, an artefact has one."
            )
    if any(key != "chat_template" for key in config.get("processing_kwargs") or {}):
        raise ExportRefused("The model sets processing_kwargs for its tokenizer, which an artefact cannot carry.")


def _pooled_by_the_model(first: Step) -> tuple[str, ...]:
    """A Transformer without Pooling is right only if the model itself gives the sentence vector."""
    text = (first.config.get("modality_config") or {}).get("text") or {}
    if (
        first.config.get("module_output_name") == "sentence_embedding"
        and text.get("method_output_name") == "pooler_output"
    ):
        return (POOLER,)
    raise ExportRefused("The model has no pooling module; choose one by --pooling (mean, cls, lasttoken, pooler, …).")


def _plain(files: ModelFiles, pooling_name: str | None, common: Mapping[str, Any]) -> Chain:
    if not files.json("config.json"):
        raise ExportRefused(f"{files.folder} holds neither modules.json nor config.json; it is not a model's folder.")
    if pooling_name is None:
        raise ExportRefused(
            f"{files.id} is a plain transformers model: it does not say how a text's vector is pooled. "
            "Choose by --pooling; the model's card says which (mean and cls are the usual ones)."
        )
    modes = (POOLER,) if pooling_name == POOLER else pooling.parse(pooling_name)
    return Chain("Transformer", "", {}, modes, True, (), declared=False, pooling_chosen=True, **common)
