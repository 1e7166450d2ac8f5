"""What the numbers must equal: sentence-transformers itself where it is installed, else transformers and our own chain.

sentence-transformers is the stronger witness: it reads the files by its own code. Without it, the gate still proves the
trace, the tokenizer and the batches, but not our reading of modules.json; the manifest says which one was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rowvec_export.backbone import quiet_loading
from rowvec_export.chain import POOLER, Chain
from rowvec_export.tokenizer import LoadedTokenizer


class Reference(Protocol):
    """Vectors by another program, float32[N,D]."""

    name: str

    def by_ids(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Of int64[B,L] ids and mask."""

    def by_texts(self, texts: Sequence[str], prompt: str) -> Tensor:
        """Of texts behind a prompt, in batches of 8 as that program makes them."""


def choose(
    folder: Path, chain: Chain, tokens: LoadedTokenizer, whole: nn.Module, *, dims: int | None, trust_remote_code: bool
) -> Reference:
    """sentence-transformers if it is there, else the chain before it was traced."""
    if not available():
        return TransformersReference(whole, tokens)
    return SentenceTransformersReference(folder, chain, tokens, dims=dims, trust_remote_code=trust_remote_code)


def available() -> bool:
    """Whether a sentence-transformers is installed that we know how to ask: 6 gave its modules their present places."""
    try:
        return int(metadata.version("sentence-transformers").partition(".")[0]) >= 6
    except metadata.PackageNotFoundError:
        return False


class TransformersReference:
    """transformers' model and tokenizer with our chain behind them, not traced."""

    name = "transformers"

    def __init__(self, whole: nn.Module, tokens: LoadedTokenizer) -> None:
        """Take the chain before its linear layers are swapped."""
        self.whole = whole
        self.tokens = tokens

    def by_ids(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Run the chain."""
        with torch.inference_mode():
            vectors: Tensor = self.whole(ids, mask)
        return vectors

    def by_texts(self, texts: Sequence[str], prompt: str) -> Tensor:
        """Tokenize by transformers, one text at a time: the chain itself is not under test here."""
        vectors = []
        for text in texts:
            ids = self.tokens.original_ids(prompt + text)
            vectors.append(self.by_ids(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.int64)))
        return torch.cat(vectors)


class SentenceTransformersReference:
    """sentence-transformers' own model, in fp32 on the CPU."""

    def __init__(
        self, folder: Path, chain: Chain, tokens: LoadedTokenizer, *, dims: int | None, trust_remote_code: bool
    ) -> None:
        """Load the folder as its users do; a plain transformers folder gets the pooling that the caller chose."""
        with quiet_loading():
            import sentence_transformers

            self.model = _load(sentence_transformers, folder, chain, trust_remote_code)
        self.name = f"sentence-transformers {sentence_transformers.__version__}"
        if chain.first == "Transformer":
            self.model.max_seq_length = tokens.max_tokens
        self.static = chain.first == "StaticEmbedding"
        self.dims = dims
        self.normalized = chain.normalized

    def by_ids(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Run its modules on ids."""
        features: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        if self.static:
            lengths = mask.sum(dim=1)
            features = {"input_ids": ids[mask != 0], "offsets": lengths.cumsum(0) - lengths}
        with torch.inference_mode():
            vectors: Tensor = self.model(features)["sentence_embedding"]
        if self.dims is None:
            return vectors
        cut = vectors[:, : self.dims]
        return F.normalize(cut, p=2.0, dim=-1) if self.normalized else cut

    def by_texts(self, texts: Sequence[str], prompt: str) -> Tensor:
        """Its `encode`, with its own sorting, padding and truncation."""
        vectors: Tensor = self.model.encode(
            list(texts),
            prompt=prompt,
            batch_size=8,
            convert_to_tensor=True,
            show_progress_bar=False,
            truncate_dim=self.dims,
            normalize_embeddings=self.dims is not None and self.normalized,
        )
        return vectors


def _load(library: Any, folder: Path, chain: Chain, trust_remote_code: bool) -> Any:
    options: dict[str, Any] = {"dtype": torch.float32}
    common: dict[str, Any] = {"device": "cpu", "local_files_only": True, "trust_remote_code": trust_remote_code}
    if chain.declared and not chain.pooling_chosen:
        return library.SentenceTransformer(str(folder), model_kwargs=options, **common).eval()
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    pooler = chain.pooling == (POOLER,)
    first = Transformer(
        str(folder / chain.first_path),
        model_kwargs={**options, "trust_remote_code": trust_remote_code},
        config_kwargs={"trust_remote_code": trust_remote_code},
        processor_kwargs={"trust_remote_code": trust_remote_code},
        modality_config={
            "text": {"method": "forward", "method_output_name": "pooler_output" if pooler else "last_hidden_state"}
        },
        module_output_name="sentence_embedding" if pooler else "token_embeddings",
    )
    modules: list[Any] = [first]
    if not pooler:
        modules.append(Pooling(first.get_embedding_dimension(), chain.pooling))
    if chain.declared:
        whole = library.SentenceTransformer(str(folder), model_kwargs=options, **common)
        modules += list(whole)[len(list(whole)) - len(chain.after) :] if chain.after else []
    return library.SentenceTransformer(modules=modules, device="cpu").eval()
