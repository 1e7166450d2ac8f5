"""What others encode with, for `rowvec bench encode`: `python -m rowvec_export.peers NAME MODEL THREADS FOLDER`.

Same weights, same texts, same number of threads, each library in the way its users call it. The ONNX graph holds the
whole chain, pooling included, which favours it: its users' pooling runs in Python. Needs an environment with
sentence-transformers, onnx, onnxruntime and openvino (`make bench` makes one); rowvec itself needs none of them.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rowvec.bench.serve import Encode, serve
from rowvec_export import sources

_BATCH = 32  # sentence-transformers' default
_FASTEMBED_BATCH = 256

Feed = dict[str, NDArray[np.int64]]
Run = Callable[[Feed], NDArray[np.float32]]


def sentence_transformers(model: str, threads: int, folder: Path) -> Encode:
    """sentence-transformers on torch, as installed."""
    loaded = _load(model, threads)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = loaded.encode(list(texts), batch_size=_BATCH, show_progress_bar=False)
        return vectors

    return encode


def onnx_fp32(model: str, threads: int, folder: Path) -> Encode:
    """ONNX Runtime, fp32; batches of 32, sorted by characters as sentence-transformers does."""
    return _batched(model, _onnx_runtime(model, threads, folder, "model.onnx"), batch=_BATCH, sort=True)


def onnx_int8(model: str, threads: int, folder: Path) -> Encode:
    """ONNX Runtime with dynamic int8, weights per channel."""
    return _batched(model, _onnx_runtime(model, threads, folder, "model-int8.onnx"), batch=_BATCH, sort=True)


def fastembed_way(model: str, threads: int, folder: Path) -> Encode:
    """ONNX Runtime, fp32, in fastembed's batches: 256 texts in the order of arrival."""
    return _batched(model, _onnx_runtime(model, threads, folder, "model.onnx"), batch=_FASTEMBED_BATCH, sort=False)


def openvino_fp32(model: str, threads: int, folder: Path) -> Encode:
    """OpenVINO, told to stay in fp32."""
    return _batched(model, _openvino(model, threads, folder, "f32"), batch=_BATCH, sort=True)


def openvino_bf16(model: str, threads: int, folder: Path) -> Encode:
    """OpenVINO in bf16, which it chooses by itself where the CPU has it."""
    return _batched(model, _openvino(model, threads, folder, "bf16"), batch=_BATCH, sort=True)


PEERS: dict[str, Callable[[str, int, Path], Encode]] = {
    "sentence-transformers": sentence_transformers,
    "onnxruntime fp32": onnx_fp32,
    "onnxruntime int8": onnx_int8,
    "openvino fp32": openvino_fp32,
    "openvino bf16": openvino_bf16,
    "fastembed's batches": fastembed_way,
}


def prepare(model: str, folder: Path) -> None:
    """Write model.onnx and model-int8.onnx into `folder`, unless they are there."""
    quantization = importlib.import_module("onnxruntime.quantization")

    whole, quantized = folder / "model.onnx", folder / "model-int8.onnx"
    if quantized.exists():
        return
    chain = _load(model, 1).eval()

    class Vectors(torch.nn.Module):
        """The whole chain with one output."""

        def __init__(self) -> None:
            super().__init__()
            self.chain = chain

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            vectors: torch.Tensor = self.chain(features)["sentence_embedding"]
            return vectors

    ids = torch.tensor([[101, 7592, 2088, 102], [101, 7592, 102, 0]])
    axes = {0: "batch", 1: "length"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Vectors().eval(),
            (ids, (ids > 0).long()),
            str(whole),
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    quantization.quantize_dynamic(
        str(whole), str(quantized), per_channel=True, weight_type=quantization.QuantType.QInt8
    )


def _load(model: str, threads: int) -> Any:
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    with contextlib.redirect_stdout(io.StringIO()):
        return SentenceTransformer(str(sources.find(model).folder), device="cpu")


def _batched(model: str, run: Run, *, batch: int, sort: bool) -> Encode:
    """Return an encode that pads each batch to its longest text."""
    tokenizer = _load(model, 1).tokenizer
    limit = tokenizer.model_max_length

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i])) if sort else list(range(len(texts)))
        vectors: NDArray[np.float32] | None = None
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            fed = tokenizer(
                [texts[i] for i in rows], padding=True, truncation=True, max_length=limit, return_tensors="np"
            )
            out = run({name: fed[name].astype(np.int64) for name in ("input_ids", "attention_mask")})
            if vectors is None:
                vectors = np.empty((len(texts), out.shape[1]), np.float32)
            vectors[rows] = out
        assert vectors is not None
        return vectors

    return encode


def _onnx_runtime(model: str, threads: int, folder: Path, name: str) -> Run:
    onnxruntime = importlib.import_module("onnxruntime")
    prepare(model, folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])

    def run(feed: Feed) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = session.run(None, feed)[0]
        return vectors

    return run


def _openvino(model: str, threads: int, folder: Path, precision: str) -> Run:
    openvino = importlib.import_module("openvino")
    prepare(model, folder)
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(str(folder / "model.onnx"), "CPU", settings)

    def run(feed: Feed) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = compiled(feed)[0]
        return vectors

    return run


if __name__ == "__main__":
    _name, _model, _threads, _folder = sys.argv[1:]
    serve(PEERS[_name](_model, int(_threads), Path(_folder)))
