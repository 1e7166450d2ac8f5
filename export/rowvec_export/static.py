"""Static embeddings: one row a token, the mean of a text's rows; sentence-transformers' and model2vec's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from rowvec.errors import ExportRefused
from rowvec_export.tokenizer import LoadedTokenizer, cleaned

# A static model has no limit of its own; this one keeps a single text from filling the memory.
MAX_TOKENS = 65_536


class StaticBackbone(nn.Module):
    """A static model: the mean of its tokens' rows; a text without tokens is the zero vector.

    By EmbeddingBag, as sentence-transformers: another order of summation differs by 1e-5 on a text of 10,000 tokens.
    """

    def __init__(self, rows: Tensor) -> None:
        """Take the table float32[vocabulary,D]."""
        super().__init__()
        self.embedding = nn.EmbeddingBag.from_pretrained(rows, freeze=True, mode="mean")

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64[B,L] ids and mask to float32[B,D]."""
        lengths = attention_mask.sum(dim=1)
        vectors: Tensor = self.embedding(input_ids[attention_mask != 0], lengths.cumsum(0) - lengths)
        return vectors


def static_rows(state: Mapping[str, Tensor]) -> Tensor:
    """The table float32[vocabulary,D] of a static model, of sentence-transformers' or model2vec's making.

    model2vec shares rows between tokens (`mapping`) and weighs them (`weights`); both are folded in.
    """
    if "embedding.weight" in state:
        return state["embedding.weight"].to(torch.float32)
    if "embeddings" not in state:
        raise ExportRefused(f"The static model's file holds {', '.join(sorted(state))}, but no table of embeddings.")
    rows = state["embeddings"]
    if "mapping" in state:
        rows = rows[state["mapping"].to(torch.int64)]
    if "weights" in state:
        rows = rows.to(torch.float32) * state["weights"].to(torch.float32)[:, None]
    return rows.to(torch.float32).contiguous()


def load_tokenizer(folder: Path, asked: int | None) -> LoadedTokenizer:
    """Load a static model's tokenizer.json; its special tokens are taken out, for a static model never adds them."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ExportRefused(f"{path} is missing; download the whole repository.")
    content = json.loads(cleaned(Tokenizer.from_file(str(path))).to_str())
    content["post_processor"] = None
    clean = Tokenizer.from_str(json.dumps(content))
    limit = MAX_TOKENS if asked is None else asked
    return LoadedTokenizer(clean, None, limit, 0)
