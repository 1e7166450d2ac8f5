"""Artefacts for tests: a tiny random transformer, made in milliseconds, and the real MiniLM, exported once."""

from __future__ import annotations

import atexit
import fcntl
import functools
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn

from rowvec.encode.artefact import FILES, file_sha256, fingerprint
from rowvec.encode.kernels import quiet_torchscript
from rowvec_export import devices
from rowvec_export.packed import swap_linears

MAX_TOKENS = 24
DIMS = 16
WORDS = [f"w{n}" for n in range(60)]
POISON = "poison"  # the word whose embedding is not a number
_USED_BY_EXPORT = ("artefact.py", "kernels.py")
_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


class _Tiny(nn.Module):
    """One transformer layer: positions, masked attention, GELU, mean pooling. Padding and batch can do harm in it."""

    def __init__(self, vocabulary: int, *, normalized: bool) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 32)
        self.positions = nn.Embedding(MAX_TOKENS, 32)
        self.query, self.key, self.value = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 32)
        self.out = nn.Linear(32, 32)
        self.norm = nn.LayerNorm(32)
        self.up, self.down = nn.Linear(32, 64), nn.Linear(64, 32)
        self.dense = nn.Linear(32, DIMS, bias=False)
        self.normalized = normalized

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return [B, DIMS]."""
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden = self.words(input_ids) + self.positions(places)
        heads = (*hidden.shape[:2], 2, 16)
        query, key, value = (one(hidden).view(heads).transpose(1, 2) for one in (self.query, self.key, self.value))
        mask = attention_mask[:, None, None, :].to(torch.bool)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        hidden = self.norm(hidden + self.out(attended.transpose(1, 2).reshape(hidden.shape)))
        hidden = hidden + self.down(F.gelu(self.up(hidden)))
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled: Tensor = self.dense((hidden * weights).sum(1) / weights.sum(1))
        return F.normalize(pooled, dim=1) if self.normalized else pooled


def tiny_artefact(directory: Path, *, seed: int = 0, normalized: bool = True) -> Path:
    """Write an artefact of a tiny random model into `directory` and return it; its words are WORDS and POISON.

    To trace one takes half a second, so each is made once and copied.
    """
    return Path(shutil.copytree(_tiny(seed, normalized), directory, dirs_exist_ok=True))


@functools.cache
def _tiny(seed: int, normalized: bool) -> Path:
    directory = _scratch() / f"tiny-{seed}-{normalized}"
    directory.mkdir()
    tokenizer = _tiny_tokenizer()
    tokenizer.save(str(directory / "tokenizer.json"))
    torch.manual_seed(seed)
    model = _Tiny(tokenizer.get_vocab_size(), normalized=normalized).eval()
    with torch.no_grad():
        model.words.weight[tokenizer.token_to_id(POISON)] = float("nan")
    swap_linears(model)
    ids = torch.tensor([[2, 5, 6, 7, 3], [2, 9, 3, 0, 0]])
    with quiet_torchscript():
        traced: Any = torch.jit.trace(model, (ids, (ids > 0).long()))  # type: ignore[no-untyped-call]
        devices.follow_input(traced)
        torch.jit.save(traced, str(directory / "model.pt"))
    texts = ["w1", "w2 w3 w4 w5", " ".join(WORDS)]
    tokenizer.enable_truncation(MAX_TOKENS)
    golden_ids = [tokenizer.encode(text).ids for text in texts]
    with torch.no_grad():
        vectors = [traced(torch.tensor([one]), torch.ones(1, len(one), dtype=torch.int64))[0] for one in golden_ids]
    golden = {"texts": texts, "ids": golden_ids, "vectors": [vector.tolist() for vector in vectors]}
    (directory / "golden.json").write_text(json.dumps(golden))
    write_manifest(directory, name=f"tiny-{seed}", normalized=normalized)
    return directory


def write_manifest(directory: Path, **changes: object) -> None:
    """Write manifest.json with the hashes of the files as they are now, and with `changes`."""
    files = {name: file_sha256(directory / name) for name in FILES}
    manifest: dict[str, object] = {
        "format": 1,
        "name": "tiny",
        "dims": DIMS,
        "matryoshka_dims": [],
        "max_tokens": MAX_TOKENS,
        "pad_id": 0,
        "pooling": "mean",
        "normalized": True,
        "similarity": "cosine",
        "prompts": {"query": "", "document": ""},
        "source": {"id": "tests/tiny", "revision": "0", "sha256": files["model.pt"]},
        "architecture": "tiny",
        "versions": {"torch": torch.__version__, "transformers": "none", "tokenizers": "none"},
        "parity": {"max_abs": 0.0, "min_cos": 1.0, "batch_invariance": 0.0, "texts": 3},
        "files": files,
        "config_sha256": "0",
        "chain": ["tiny"],
        "include_prompt": True,
        "tokenizer_sha256": files["tokenizer.json"],
    }
    manifest |= changes
    (directory / "manifest.json").write_text(json.dumps({"fingerprint": fingerprint(manifest)} | manifest))


@functools.cache
def _scratch() -> Path:
    """A folder for as long as this process lives."""
    folder = tempfile.TemporaryDirectory(prefix="rowvec-artefacts-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@functools.cache
def minilm_artefact() -> Path:
    """Return the artefact of the real all-MiniLM-L6-v2; exported once for each state of the exporter, then kept."""
    from rowvec_export.exporter import export_model  # imports transformers: seconds

    code = hashlib.sha256(torch.__version__.encode())
    root = Path(__file__).parent.parent
    for path in sorted([*(root / "export").rglob("*.py"), *(root / "app/rowvec/encode" / n for n in _USED_BY_EXPORT)]):
        code.update(path.read_bytes())
    directory = Path(tempfile.gettempdir()) / f"rowvec-tests-{os.getuid()}" / code.hexdigest()[:16] / "all-MiniLM-L6-v2"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / "lock").open("w") as lock, tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process of the tests may be at it
        if not (directory / "manifest.json").exists():
            export_model("all-MiniLM-L6-v2", Path(scratch) / "model").directory.rename(directory)
    return directory


def _tiny_tokenizer() -> Tokenizer:
    words = {word: number for number, word in enumerate([*_SPECIALS, *WORDS, POISON])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", words["[CLS]"]), ("[SEP]", words["[SEP]"])]
    )
    return tokenizer
