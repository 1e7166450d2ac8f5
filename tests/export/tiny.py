"""Tiny random models in the two generations of sentence-transformers' files: every architecture, no hub, few KB."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import PreTrainedTokenizerFast

from rowvec_export.texts import EDGES, GOLDEN

CORPUS = [*GOLDEN, *EDGES[:19]]


@dataclass(frozen=True, slots=True)
class Tiny:
    """How one architecture is made small: classes, what the config needs, kind of tokenizer, usual pooling."""

    config: str
    model: str
    tokenizer: str = "wordpiece"
    pooling: str = "mean"
    extra: Mapping[str, Any] = field(default_factory=dict)
    padding_side: str = "right"


_T5 = {"d_model": 32, "d_kv": 8, "d_ff": 37, "num_heads": 4, "num_layers": 2}
_DECODER = {"num_key_value_heads": 2, "head_dim": 8}
ARCHITECTURES: Mapping[str, Tiny] = {
    "bert": Tiny("BertConfig", "BertModel"),
    "roberta": Tiny("RobertaConfig", "RobertaModel", "bytes"),
    "xlm-roberta": Tiny("XLMRobertaConfig", "XLMRobertaModel", "unigram", "cls"),
    "camembert": Tiny("CamembertConfig", "CamembertModel", "unigram"),
    "mpnet": Tiny("MPNetConfig", "MPNetModel", "bytes"),
    "distilbert": Tiny("DistilBertConfig", "DistilBertModel", extra={"dim": 32, "n_layers": 2, "n_heads": 4}),
    "albert": Tiny("AlbertConfig", "AlbertModel", "unigram", extra={"embedding_size": 16}),
    "electra": Tiny("ElectraConfig", "ElectraModel", extra={"embedding_size": 16}),
    "deberta-v2": Tiny(
        "DebertaV2Config",
        "DebertaV2Model",
        "unigram",
        extra={"relative_attention": True, "position_buckets": 8, "pos_att_type": ["p2c", "c2p"]},
    ),
    "modernbert": Tiny(
        "ModernBertConfig",
        "ModernBertModel",
        "bytes",
        "cls",
        extra={"local_attention": 8, "global_attn_every_n_layers": 2, "num_hidden_layers": 3},
    ),
    "nomic_bert": Tiny("NomicBertConfig", "NomicBertModel"),
    "gte": Tiny("GteConfig", "GteModel", pooling="cls"),
    "jina_embeddings_v3": Tiny("JinaEmbeddingsV3Config", "JinaEmbeddingsV3Model", "unigram"),
    "ernie": Tiny("ErnieConfig", "ErnieModel", extra={"use_task_id": True, "task_type_vocab_size": 3}),
    "eurobert": Tiny("EuroBertConfig", "EuroBertModel", "bytes", extra=_DECODER),
    "qwen2": Tiny("Qwen2Config", "Qwen2Model", "causal", "lasttoken", _DECODER, "left"),
    "qwen3": Tiny("Qwen3Config", "Qwen3Model", "causal", "lasttoken", _DECODER, "left"),
    "mistral": Tiny("MistralConfig", "MistralModel", "causal", "lasttoken", {**_DECODER, "sliding_window": 6}, "left"),
    "gemma3_text": Tiny(
        "Gemma3TextConfig",
        "Gemma3TextModel",
        "unigram",
        extra={
            **_DECODER,
            "use_bidirectional_attention": True,
            "sliding_window": 8,
            "layer_types": ["sliding_attention", "full_attention"],
            "query_pre_attn_scalar": 8,
        },
    ),
    "t5": Tiny(
        "T5Config",
        "T5EncoderModel",
        "unigram",
        extra={"d_model": 32, "d_kv": 8, "d_ff": 37, "num_heads": 4, "num_layers": 2},
    ),
}


def make(folder: Path, architecture: str, *, new_files: bool = False, pooling: str | None = None, **files: Any) -> Path:
    """Write a random model of the architecture into `folder` and return it.

    `new_files` chooses the newer generation of sentence-transformers' files; `files` goes to `write_chain`.
    """
    tiny = ARCHITECTURES[architecture]
    tokenizer(tiny.tokenizer, tiny.padding_side).save_pretrained(folder)
    fast = tokenizer(tiny.tokenizer, tiny.padding_side)
    sizes: dict[str, Any] = {
        "vocab_size": len(fast),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 37,
        "max_position_embeddings": 66,
        "pad_token_id": fast.pad_token_id,
        "bos_token_id": None,
        "eos_token_id": None,
        "cls_token_id": fast.cls_token_id,
        "sep_token_id": fast.sep_token_id,
    }
    torch.manual_seed(len(architecture) + sum(map(ord, architecture)))
    config = getattr(transformers, tiny.config)(**(sizes | dict(tiny.extra)))
    model = getattr(transformers, tiny.model)(config)
    _spread(model)
    model.save_pretrained(folder)
    write_chain(folder, 32, pooling or tiny.pooling, new_files=new_files, **files)
    return folder


def make_static(folder: Path, *, model2vec: bool = False) -> Path:
    """Write a random static model, 24 wide, as sentence-transformers saves it or with model2vec's shared rows."""
    fast = tokenizer("wordpiece")
    inside = folder / "0_StaticEmbedding"
    inside.mkdir(parents=True)
    fast.backend_tokenizer.save(str(inside / "tokenizer.json"))
    rows = torch.randn(len(fast), 24, generator=torch.Generator().manual_seed(1))
    tensors = {"embedding.weight": rows}
    if model2vec:
        weights = torch.linspace(0.1, 2, len(fast))
        tensors = {"embeddings": rows[:100].clone(), "mapping": torch.arange(len(fast)) % 100, "weights": weights}
    save_file(tensors, inside / "model.safetensors")
    entries = [("StaticEmbedding", inside.name), ("Normalize", "1_Normalize")]
    (folder / "1_Normalize").mkdir()
    home = "sentence_transformers.models."
    _json(
        folder / "modules.json",
        [{"idx": i, "name": str(i), "path": path, "type": home + name} for i, (name, path) in enumerate(entries)],
    )
    return folder


def _spread(model: nn.Module) -> None:
    """Larger random weights than the usual 0.02: small ones would hide a wrong mask behind nearly equal vectors."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, 0.25)
            elif "bias" in name:
                parameter.normal_(0.0, 0.1)


def write_chain(
    folder: Path,
    width: int,
    pooling: str,
    *,
    new_files: bool = False,
    normalize: bool = True,
    max_seq_length: int | None = 48,
    prompts: Mapping[str, str] | None = None,
    include_prompt: bool = True,
    extra: tuple[tuple[str, Mapping[str, Any], nn.Module | None], ...] = (),
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write modules.json and what it names; `extra` are modules between pooling and normalisation."""
    old, new = "sentence_transformers.models.", "sentence_transformers.sentence_transformer.modules."
    base = "sentence_transformers.base.modules."
    homes = {"Transformer": base + "transformer.", "Dense": base + "dense.", "Normalize": base + "normalize."}

    def kind(name: str) -> str:
        return homes.get(name, f"{new}{name.lower()}.") + name if new_files else old + name

    entries = [("Transformer", ""), ("Pooling", "1_Pooling")]
    modes = pooling.split("+")
    config: dict[str, Any] = {"include_prompt": include_prompt}
    if new_files:
        config |= {"embedding_dimension": width, "pooling_mode": modes[0] if len(modes) == 1 else modes}
    else:
        names = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "weightedmean": "weightedmean_tokens"}
        config |= {"word_embedding_dimension": width}
        config |= {f"pooling_mode_{names.get(mode, mode)}": True for mode in modes}
    _json(folder / "1_Pooling" / "config.json", config)
    for name, options, module in extra:
        path = f"{len(entries)}_{name}"
        entries.append((name, path))
        _json(folder / path / "config.json", dict(options))
        if module is not None:
            save_file(module.state_dict(), folder / path / "model.safetensors")
    if normalize:
        entries.append(("Normalize", f"{len(entries)}_Normalize"))
        (folder / entries[-1][1]).mkdir(exist_ok=True)
    _json(
        folder / "modules.json",
        [{"idx": i, "name": str(i), "path": path, "type": kind(name)} for i, (name, path) in enumerate(entries)],
    )
    limits: dict[str, Any] = {} if max_seq_length is None else {"max_seq_length": max_seq_length}
    _json(folder / "sentence_bert_config.json", {**limits, "do_lower_case": False, **(settings or {})})
    _json(folder / "config_sentence_transformers.json", {"__version__": {}, "prompts": dict(prompts or {})})


@functools.cache
def _trained(kind: str) -> Tokenizer:
    specials = {
        "wordpiece": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        "bytes": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        "unigram": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        "causal": ["<|endoftext|>", "<|im_end|>"],
    }[kind]
    trainer: Any
    if kind == "wordpiece":
        made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=specials, show_progress=False)
    elif kind == "unigram":
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=400, special_tokens=specials, unk_token="<unk>", show_progress=False
        )
    else:
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=specials,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    made.train_from_iterator(CORPUS, trainer)
    if kind == "causal":  # as Qwen3-Embedding: the end token is appended, and is the padding token too
        template = "$A <|endoftext|>"
        chosen = ["<|endoftext|>"]
    else:
        first, last = ("[CLS]", "[SEP]") if kind == "wordpiece" else ("<s>", "</s>")
        template = f"{first} $A {last}"
        chosen = [first, last]
    made.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(token, made.token_to_id(token)) for token in chosen]
    )
    return made


def tokenizer(kind: str, padding_side: str = "right") -> PreTrainedTokenizerFast:
    """A small fast tokenizer of the kind, trained on the gates' own texts."""
    if kind == "causal":
        names = {"pad_token": "<|endoftext|>", "eos_token": "<|im_end|>"}
    elif kind == "wordpiece":
        names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    else:
        names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    copy = Tokenizer.from_str(_trained(kind).to_str())
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=copy, padding_side=padding_side, model_max_length=512, **names
    )
    return made


def _json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
