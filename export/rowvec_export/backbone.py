"""Load the transformer in fp32 and give it one face: ids and mask in, token vectors (or its own pooler's) out."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, MT5EncoderModel, T5EncoderModel, UMT5EncoderModel
from transformers.utils import logging as transformers_logging

from rowvec.errors import ExportRefused
from rowvec_export import masks

# Of an encoder-decoder only the encoder is used, as sentence-transformers does.
ENCODERS: Mapping[str, Any] = {"t5": T5EncoderModel, "mt5": MT5EncoderModel, "umt5": UMT5EncoderModel}


class Backbone(nn.Module):
    """The transformer behind `forward(input_ids, attention_mask)`; returns float32[B,L,H], or [B,H] of the pooler."""

    def __init__(self, model: nn.Module, *, pooler: bool) -> None:
        """Wrap a loaded model; `pooler` asks for its own sentence vector instead of the token vectors."""
        super().__init__()
        self.model = model
        self.config: Any = model.config
        self.pooler = pooler
        self.takes_token_types = "token_type_ids" in inspect.signature(model.forward).parameters

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Run the transformer on int64[B,L] ids and mask."""
        inputs: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
        if self.config.model_type in masks.OWN_MASKS:
            inputs["attention_mask"] = masks.gemma3(attention_mask, self.config)
            inputs["position_ids"] = masks.positions(attention_mask)
        if self.takes_token_types:
            # Made from the input, so that neither a length nor a device of the trace is baked in.
            inputs["token_type_ids"] = torch.zeros_like(input_ids)
        output = self.model(**inputs, return_dict=True)
        vectors: Tensor = output.pooler_output if self.pooler else output.last_hidden_state
        return vectors


def load_config(folder: Path, extra: Mapping[str, Any], *, trust_remote_code: bool) -> Any:
    """The model's configuration object, with the KV cache off."""
    try:
        with quiet_loading():
            config = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code, **extra)
    except (OSError, ValueError, KeyError) as error:
        raise ExportRefused(f"The configuration cannot be loaded: {str(error).splitlines()[0]}") from None
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
    loader = ENCODERS.get(config.model_type, AutoModel)
    try:
        with quiet_loading():
            model, info = loader.from_pretrained(folder, **options)
    except (OSError, ValueError, ImportError) as error:
        raise ExportRefused(f"The weights cannot be loaded: {str(error).splitlines()[0]}") from None
    missing = sorted(name for name in info["missing_keys"] if pooler or ".pooler." not in f".{name}")
    if missing:
        raise ExportRefused(
            f"{len(missing)} weights are not in the files ({missing[0]}, …): they would be random numbers. "
            "Give the complete checkpoint."
        )
    if pooler and getattr(model, "pooler", None) is None:
        raise ExportRefused(f"{config.model_type} has no pooler; choose another --pooling.")
    if not pooler and getattr(model, "pooler", None) is not None:
        model.pooler = None  # never used by the chain: not traced, not stored
    _without_dropout(model)
    _name_remote_classes(model)
    loaded: nn.Module = model.eval()
    return loaded


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep the loader's progress bars, and its advice to those who train, off the terminal."""
    verbosity = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def usable_positions(model: nn.Module, config: Any) -> int | None:
    """How many tokens the positions reach for: of a table that begins behind the padding id, 514 rows mean 512 tokens.

    None where nothing limits them. Without a table (rotary, relative), the configuration's word is taken.
    """
    for module in model.modules():
        table = getattr(module, "position_embeddings", None)
        if isinstance(table, nn.Embedding):
            offset = getattr(module, "padding_idx", None)
            return table.num_embeddings - (offset + 1 if isinstance(offset, int) else 0)
    positions = getattr(config, "max_position_embeddings", None)
    return positions if isinstance(positions, int) and positions > 0 else None


def _without_dropout(model: nn.Module) -> None:
    for child in list(model.modules()):
        for name, inner in child.named_children():
            if isinstance(inner, nn.Dropout):
                setattr(child, name, nn.Identity())


def _name_remote_classes(model: nn.Module) -> None:
    """Give classes of remote code a module name that TorchScript can read back.

    transformers puts them below a folder named by a commit, and a component that begins with a digit is written into
    the archive but not parsed when it is loaded ("expected newline but found 'number'").
    """
    for kind in {type(module) for module in model.modules()}:
        parts = kind.__module__.split(".")
        if not all(part.isidentifier() for part in parts):
            kind.__module__ = f"remote_code.{parts[-1]}" if parts[-1].isidentifier() else "remote_code"
