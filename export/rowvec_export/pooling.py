"""Token vectors to one vector a text; every kind of sentence-transformers, right padding, made to be traced."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rowvec.errors import ExportRefused

# The order is the one in which sentence-transformers concatenates.
MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
LEGACY = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


def parse(name: str) -> tuple[str, ...]:
    """`"mean"` or `"cls+mean"` to its modes, in the order given; raises ExportRefused on an unknown one."""
    modes = tuple(part.strip() for part in name.split("+"))
    unknown = [mode for mode in modes if mode not in MODES]
    if unknown:
        raise ExportRefused(
            f"Pooling {unknown[0]!r} is not known; choose from {', '.join(MODES)}, pooler, or join by +."
        )
    return modes


def from_config(config: dict[str, object]) -> tuple[str, ...]:
    """The modes of a `1_Pooling/config.json` of either generation (booleans, or `pooling_mode`)."""
    mode = config.get("pooling_mode")
    if isinstance(mode, str):
        return parse(mode)
    if isinstance(mode, list) and mode:
        return parse("+".join(str(part) for part in mode))
    return tuple(mode for key, mode in LEGACY.items() if config.get(key)) or ("mean",)


class Pooling(nn.Module):
    """Pools float32[B,L,H] under int64[B,L] masks into float32[B, H * number of modes].
    The mask may leave out tokens that the encoder saw: a prompt's, where the model says so.
    """

    def __init__(self, modes: tuple[str, ...]) -> None:
        """Take the modes, checked by `parse`."""
        super().__init__()
        self.modes = modes

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Pool; a row of the mask must hold at least one 1."""
        return torch.cat([_POOL[mode](tokens, mask) for mode in self.modes], dim=-1)


def _weights(tokens: Tensor, mask: Tensor) -> Tensor:
    return mask.unsqueeze(-1).to(tokens.dtype)


def _cls(tokens: Tensor, mask: Tensor) -> Tensor:
    first = mask.argmax(dim=1)
    return tokens.gather(1, first.view(-1, 1, 1).expand(-1, 1, tokens.size(-1))).squeeze(1)


def _max(tokens: Tensor, mask: Tensor) -> Tensor:
    return tokens.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).max(dim=1).values


def _mean(tokens: Tensor, mask: Tensor) -> Tensor:
    weights = _weights(tokens, mask)
    return (tokens * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)


def _mean_sqrt_len(tokens: Tensor, mask: Tensor) -> Tensor:
    weights = _weights(tokens, mask)
    return (tokens * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9).sqrt()


def _weighted_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    # Positions from a cumulative sum, not an arange: nothing of the trace's length or device is baked in.
    positions = torch.ones_like(mask).cumsum(dim=1)
    weights = (mask * positions).unsqueeze(-1).to(tokens.dtype)
    return (tokens * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)


def _last_token(tokens: Tensor, mask: Tensor) -> Tensor:
    # The last 1 of the mask, whatever stands before it. Without any 1 the vector is zero, as sentence-transformers'.
    last = (torch.ones_like(mask).cumsum(dim=1) * mask).argmax(dim=1)
    seen = tokens * _weights(tokens, mask)
    return seen.gather(1, last.view(-1, 1, 1).expand(-1, 1, tokens.size(-1))).squeeze(1)


_POOL = {
    "cls": _cls,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt_len,
    "weightedmean": _weighted_mean,
    "lasttoken": _last_token,
}
