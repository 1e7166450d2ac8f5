"""Attention masks built by us, for the architectures whose own masks cannot be traced (gemma3's are made by vmap).

A model with sliding windows needs one mask a kind of layer: a single 4-D mask would silently switch its windows off
(measured on ModernBERT: no error, vectors off by 2.8e-4).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

OWN_MASKS = ("gemma3_text",)


def positions(attention_mask: Tensor) -> Tensor:
    """0, 1, 2, … int64[1,L], from the input alone: no length and no device of the trace is baked in."""
    return torch.ones_like(attention_mask[:1]).cumsum(dim=1) - 1


def gemma3(attention_mask: Tensor, config: Any) -> dict[str, Tensor]:
    """The masks of gemma3's two kinds of layers: bool[B,1,L,L], True where a token (row) sees another (column).

    `config.sliding_window` is the one *after* the configuration was loaded: for a bidirectional model that one is
    halved already (512 becomes 257), and the window excludes its border; off by one costs 0.09 in the vectors.
    """
    where = positions(attention_mask)
    distance = where.transpose(0, 1) - where  # query minus key, int64[L,L]
    if config.use_bidirectional_attention:
        full = distance == distance
        near = distance.abs() < config.sliding_window
    else:
        full = distance >= 0
        near = full & (distance < config.sliding_window)
    keys = (attention_mask != 0)[:, None, None, :]
    return {"full_attention": _open_rows(full & keys), "sliding_attention": _open_rows(near & keys)}


def _open_rows(mask: Tensor) -> Tensor:
    """Let a padding token that would see nothing see all: a row without keys is NaN on some kernels.

    Rows of real tokens do not change: each sees itself.
    """
    return mask | ~mask.any(dim=-1, keepdim=True)
