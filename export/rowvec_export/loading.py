"""Read a model's files up to the point where it can be run: the chain, the tokenizer, the weights, as one module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from rowvec_export import backbone as backbones
from rowvec_export import chain as chains
from rowvec_export import refusals, sources, static
from rowvec_export import tokenizer as tokenizers
from rowvec_export.chain import POOLER, Chain
from rowvec_export.model import SentenceModel, build, read_state
from rowvec_export.texts import EDGES, GOLDEN


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to be traced."""

    files: sources.ModelFiles
    chain: Chain
    config: Any
    tokens: tokenizers.LoadedTokenizer
    whole: SentenceModel
    dims: int | None


def load(
    files: sources.ModelFiles,
    *,
    pooling: str | None = None,
    max_tokens: int | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    dims: int | None = None,
) -> Loaded:
    """Read and load a model up to the point where it can be run; raise ExportRefused where it cannot be exported."""
    refusals.check_files(files, trust_remote_code=trust_remote_code, allow_pickle=allow_pickle)
    chain = chains.read(files, pooling_name=pooling)
    dims = dims or chain.truncate_dims
    folder = files.folder / chain.first_path
    if chain.first == "StaticEmbedding":
        config: Any = None
        tokens = static.load_tokenizer(folder, max_tokens)
        backbone: torch.nn.Module = static.StaticBackbone(
            static.static_rows(read_state(folder, allow_pickle=allow_pickle))
        )
    else:
        settings = chain.transformer_config
        extra = settings.get("config_kwargs") or settings.get("config_args") or {}
        config = backbones.load_config(folder, extra, trust_remote_code=trust_remote_code)
        pooler = POOLER in chain.pooling
        transformer = backbones.load_model(
            folder, config, pooler=pooler, trust_remote_code=trust_remote_code, allow_pickle=allow_pickle
        )
        usable = backbones.usable_positions(transformer, config)
        tokens = tokenizers.load(folder, settings, usable, trust_remote_code=trust_remote_code, asked=max_tokens)
        backbone = backbones.Backbone(transformer, pooler=pooler)
    tokenizers.check_ids(tokens, [*GOLDEN, *EDGES])
    prompts = [] if chain.include_prompt else [prompt for prompt in chain.prompts.values() if prompt]
    left_out = [
        (tokenizers.stable_prefix(tokens, prompt), tokenizers.prompt_length(tokens, prompt)) for prompt in prompts
    ]
    whole = build(backbone, chain, files.folder, dims=dims, allow_pickle=allow_pickle, left_out=left_out)
    return Loaded(files, chain, config, tokens, whole, dims)
