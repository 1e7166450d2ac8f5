"""The whole chain as one module: ids and mask in, one float32 vector a text out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from rowvec.errors import ExportRefused
from rowvec_export.chain import POOLER, Chain, Step
from rowvec_export.pooling import Pooling

# The activations of sentence-transformers' Dense that are seen in the wild; anything else is code that we do not run.
ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "torch.nn.modules.activation.Tanh": nn.Tanh,
    "torch.nn.modules.linear.Identity": nn.Identity,
    "torch.nn.modules.activation.ReLU": nn.ReLU,
    "torch.nn.modules.activation.GELU": nn.GELU,
    "torch.nn.modules.activation.Sigmoid": nn.Sigmoid,
    "torch.nn.modules.activation.SiLU": nn.SiLU,
    "torch.nn.modules.activation.Mish": nn.Mish,
    "torch.nn.modules.activation.LeakyReLU": nn.LeakyReLU,
}


class Normalize(nn.Module):
    """To length 1, as sentence-transformers does it."""

    def forward(self, vectors: Tensor) -> Tensor:
        """float32[B,D] to float32[B,D]."""
        return F.normalize(vectors, p=2.0, dim=-1)


class Dense(nn.Module):
    """A linear layer, an activation, and (since sentence-transformers 5.7) an optional residual."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Build from a Dense module's config.json; the weights come by `load_state_dict`."""
        super().__init__()
        width, out = int(config["in_features"]), int(config["out_features"])
        self.linear = nn.Linear(width, out, bias=bool(config.get("bias", True)))
        name = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
        if name not in ACTIVATIONS:
            raise ExportRefused(f"The activation {name} is not known; known are {', '.join(ACTIVATIONS)}.")
        self.activation = ACTIVATIONS[name]()
        self.use_residual = bool(config.get("use_residual", False))
        if self.use_residual:
            self.residual = nn.Identity() if width == out else nn.Linear(width, out, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """float32[B,in] to float32[B,out]."""
        out: Tensor = self.activation(self.linear(vectors))
        return out + self.residual(vectors) if self.use_residual else out


class Cut(nn.Module):
    """A Matryoshka cut: the first `dims` numbers, brought back to length 1 if they had it."""

    def __init__(self, dims: int, *, normalize: bool) -> None:
        """Take the width to cut to."""
        super().__init__()
        self.dims = dims
        self.normalize = normalize

    def forward(self, vectors: Tensor) -> Tensor:
        """float32[B,D] to float32[B,dims]."""
        cut = vectors[:, : self.dims]
        return F.normalize(cut, p=2.0, dim=-1) if self.normalize else cut


class PromptMask(nn.Module):
    """Takes a prompt's tokens out of the pooling (`include_prompt: false`, INSTRUCTOR's way) by recognising them.

    The chain gets ids only, so a prompt is found by the ids that every text behind it begins with.
    """

    def __init__(self, prefixes: list[tuple[list[int], int]]) -> None:
        """Take, for each prompt, those ids and how many tokens to leave out."""
        super().__init__()
        self.lengths = [length for _, length in prefixes]
        for index, (prefix, _) in enumerate(prefixes):
            self.register_buffer(f"prefix_{index}", torch.tensor([prefix], dtype=torch.int64))

    def forward(self, input_ids: Tensor, mask: Tensor) -> Tensor:
        """int64[B,L] ids and mask to the mask without prompts."""
        where = torch.ones_like(mask).cumsum(dim=1)  # 1, 2, 3, …
        for index, length in enumerate(self.lengths):
            prefix = self.get_buffer(f"prefix_{index}")
            # A text shorter than the prefix must not match: -1 is no id.
            head = F.pad(input_ids, (0, prefix.size(1)), value=-1)[:, : prefix.size(1)]
            found = (head == prefix).all(dim=1, keepdim=True)
            mask = mask * (~(found & (where <= length))).to(mask.dtype)
        return mask


class SentenceModel(nn.Module):
    """Transformer, pooling and what follows, behind `forward(input_ids, attention_mask)`."""

    def __init__(
        self, backbone: nn.Module, pooling: Pooling | None, after: list[nn.Module], prompts: PromptMask | None = None
    ) -> None:
        """Take the parts; `pooling` is None where the backbone gives sentence vectors itself."""
        super().__init__()
        self.backbone = backbone
        self.prompts = prompts
        self.pooling = pooling
        self.after = nn.Sequential(*after)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64[B,L] ids and mask (1 for a token, 0 for padding) to float32[B,D]."""
        vectors: Tensor = self.backbone(input_ids, attention_mask)
        if self.prompts is not None:
            attention_mask = self.prompts(input_ids, attention_mask)
        if self.pooling is not None:
            vectors = self.pooling(vectors, attention_mask)
        out: Tensor = self.after(vectors)
        return out


def build(
    backbone: nn.Module,
    chain: Chain,
    folder: Path,
    *,
    dims: int | None = None,
    allow_pickle: bool = False,
    left_out: list[tuple[list[int], int]] | None = None,
) -> SentenceModel:
    """Put the chain together in evaluation mode; `dims` cuts the vector, `left_out` are the prompts not pooled."""
    after = [_step(step, folder, allow_pickle) for step in chain.after if step.kind != "Dropout"]
    if dims is not None:
        after.append(Cut(dims, normalize=chain.normalized))
    modes = tuple(mode for mode in chain.pooling if mode != POOLER)
    pooling = Pooling(modes) if modes else None
    return SentenceModel(backbone, pooling, after, PromptMask(left_out) if left_out else None).eval()


def read_state(folder: Path, *, allow_pickle: bool) -> dict[str, Tensor]:
    """The tensors of a module's own folder; raise ExportRefused where they are missing, or pickled and not allowed."""
    safe = folder / "model.safetensors"
    if safe.is_file():
        return load_file(safe)
    pickled = folder / "pytorch_model.bin"
    if pickled.is_file() and allow_pickle:
        state: dict[str, Tensor] = torch.load(pickled, map_location="cpu", weights_only=True)
        return state
    if pickled.is_file():
        raise ExportRefused(f"{pickled} is pickled, which can run code; convert it to safetensors, or --allow-pickle.")
    raise ExportRefused(f"{folder} has no model.safetensors; download the whole repository.")


def _step(step: Step, folder: Path, allow_pickle: bool) -> nn.Module:
    keys = {step.config.get(key, "sentence_embedding") for key in ("module_input_name", "module_output_name")}
    if keys - {"sentence_embedding", None}:
        raise ExportRefused(f"{step.kind} works on {', '.join(sorted(map(str, keys)))}, not on the sentence's vector.")
    if step.kind == "Normalize":
        return Normalize()
    module: nn.Module = Dense(step.config) if step.kind == "Dense" else nn.LayerNorm(int(step.config["dimension"]))
    state = read_state(folder / step.path, allow_pickle=allow_pickle)
    if step.kind == "LayerNorm":
        state = {name.removeprefix("norm."): tensor for name, tensor in state.items()}
    module.load_state_dict({name: tensor.to(torch.float32) for name, tensor in state.items()})
    return module
