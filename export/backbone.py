"""Load the transformer in fp32 and give it one face: ids and mask in, token vectors (or its own pooler's) out."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, T5EncoderModel
from transformers.utils import logging as transformers_logging

from app.errors import ExportRefused


class Backbone(nn.Module):
    """The transformer behind `forward(input_ids, attention_mask)`; returns float32[B,L,H], or [B,H] of the pooler."""

    def __init__(self, model: nn.Module, *, pooler: bool) -> None:
        """Wrap a loaded model; `pooler` asks for its own sentence vector instead of the token vectors."""
        super().__init__()
        self.model = model
        self.pooler = pooler
        accepted = inspect.signature(model.forward).parameters
        self.takes_token_types = "token_type_ids" in accepted

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Run the transformer on int64[B,L] ids and mask."""
        inputs: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
        if self.takes_token_types:
            # Made from the input, so that neither a length nor a device of the trace is baked in.
            inputs["token_type_ids"] = torch.zeros_like(input_ids)
        output = self.model(**inputs, return_dict=True)
        vectors: Tensor = output.pooler_output if self.pooler else output.last_hidden_state
        return vectors


def load_config(folder: Path, extra: Mapping[str, Any], *, trust_remote_code: bool) -> Any:
    """The model's configuration object, with the KV cache off."""
    config = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code, **extra)
    if hasattr(config, "use_cache"):
        config.use_cache = False
    return config


def load_model(folder: Path, config: Any, *, pooler: bool, trust_remote_code: bool, allow_pickle: bool) -> nn.Module:
    """Load the weights, in fp32, in evaluation mode; raise ExportRefused where weights are missing."""
    options: dict[str, Any] = {
        "config": config,
        "dtype": torch.float32,
        "trust_remote_code": trust_remote_code,
        "use_safetensors": None if allow_pickle else True,
        "output_loading_info": True,
    }
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the loader's advice to trainers
            loader: Any = T5EncoderModel if config.model_type == "t5" else AutoModel
            model, info = loader.from_pretrained(folder, **options)
    finally:
        transformers_logging.set_verbosity(verbosity)
    missing = [name for name in info["missing_keys"] if pooler or ".pooler." not in f".{name}"]
    if missing:
        raise ExportRefused(
            f"{len(missing)} weights are not in the files ({missing[0]}, …): they would be random numbers. "
            "Give the complete checkpoint (an adapter must be merged into its base first)."
        )
    if not pooler and getattr(model, "pooler", None) is not None:
        model.pooler = None  # never used by the chain: not traced, not stored
    if pooler and getattr(model, "pooler", None) is None:
        raise ExportRefused(f"{config.model_type} has no pooler; choose another --pooling.")
    loaded: nn.Module = model.eval()
    return loaded
