"""The encoder on a tiny model: order, repeats, bad texts, refusals, threads."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rowvec.encode import kernels, torchscript
from rowvec.encode.batching import MicroBatch
from rowvec.encode.cores import usable_cores
from rowvec.encode.encoder import Encoder, UnencodableText
from rowvec.encode.kernels import Kernel
from rowvec.encode.load import load
from rowvec.encode.torchscript import TorchScriptEncoder
from rowvec.errors import ArtefactError, EncodingError, ModelMismatch, SettingsError
from tests.artefacts import DIMS, POISON, WORDS, tiny_artefact, write_manifest

needs_bf16 = pytest.mark.skipif(not kernels.bf16_supported(), reason="this CPU has no bf16")


def some_texts(count: int, seed: int = 0) -> list[str]:
    """Return texts of 1 to 30 words."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(1, 30))) for _ in range(count)]


def _load(directory: Path, **changes: Any) -> TorchScriptEncoder:
    options: dict[str, Any] = {"threads": 1, "max_batch_tokens": 64, "device": "cpu"}
    return load(directory, **(options | changes))


def test_it_is_an_encoder(tiny: TorchScriptEncoder) -> None:
    encoder: Encoder = tiny
    assert encoder.dims == DIMS
    assert encoder.encode([]).shape == (0, DIMS)
    assert encoder.encode(["w1"]).dtype == np.float32


def test_a_vector_depends_on_its_text_alone(tiny: TorchScriptEncoder) -> None:
    """Alone, in a batch, in a shuffled batch, with other neighbours: the same to 1e-6."""
    texts = some_texts(200)
    together = tiny.encode(texts)
    order = random.Random(1).sample(range(200), 200)
    shuffled = tiny.encode([texts[i] for i in order])
    assert np.abs(shuffled - together[order]).max() <= 1e-6
    for i in range(0, 200, 7):
        assert np.abs(tiny.encode([texts[i]])[0] - together[i]).max() <= 1e-6


def test_many_threads_share_one_model(tiny: TorchScriptEncoder) -> None:
    texts = some_texts(120, seed=2)
    wanted = tiny.encode(texts)
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(tiny.encode, texts[n:], urgent=n % 2 == 0) for n in range(12)]
        for n, call in enumerate(calls):
            assert np.abs(call.result(60) - wanted[n:]).max() <= 1e-6


def test_a_call_of_many_slices_keeps_its_order(tiny: TorchScriptEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = some_texts(50, seed=3)
    wanted = tiny.encode(texts)
    monkeypatch.setattr(torchscript, "_SLICE_TEXTS", 7)
    assert np.abs(tiny.encode(texts) - wanted).max() <= 1e-6


def test_identical_texts_are_encoded_once(tiny: TorchScriptEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list[int]()
    forward = tiny._forward

    def counted(ids: Any, batch: MicroBatch) -> Any:
        rows.extend(batch.rows)
        return forward(ids, batch)

    monkeypatch.setattr(tiny, "_forward", counted)
    vectors = tiny.encode(["w1 w2", "w3", "w1 w2", "w1 w2"])
    assert len(rows) == 2
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] == vectors[3]).all()


def test_a_prompt_is_put_before_each_text(tiny: TorchScriptEncoder) -> None:
    assert np.abs(tiny.encode(["w2", "w3"], prompt="w1 ") - tiny.encode(["w1 w2", "w1 w3"])).max() <= 1e-6


@pytest.mark.parametrize("slice_texts", [4, 1000])
def test_a_text_without_a_finite_vector_is_named(
    tiny: TorchScriptEncoder, monkeypatch: pytest.MonkeyPatch, slice_texts: int
) -> None:
    monkeypatch.setattr(torchscript, "_SLICE_TEXTS", slice_texts)
    with pytest.raises(UnencodableText) as raised:
        tiny.encode(["w1", "w2", "w3", "w1", "w4", f"w5 {POISON}", "w6", f"w7 {POISON}"])
    assert raised.value.index == 5
    assert np.isfinite(tiny.encode(["w5"])).all()  # the encoder lives on


def test_a_batch_that_the_model_refuses_is_an_encoding_error(
    tiny: TorchScriptEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny._tokenizer, "_max_tokens", 10_000)
    tiny._tokenizer._tokenizer.enable_truncation(max_length=10_000)
    try:
        with pytest.raises(EncodingError, match="the model failed"):
            tiny.encode([" ".join(WORDS)])  # more tokens than the model has positions
    finally:
        tiny._tokenizer._tokenizer.enable_truncation(max_length=tiny.manifest.max_tokens)


def test_a_query_overtakes_a_backlog(tiny_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = _load(tiny_directory)
    started, go, order = threading.Event(), threading.Event(), list[int]()
    forward = encoder._forward

    def slow(ids: Any, batch: MicroBatch) -> Any:
        started.set()
        assert go.wait(30)
        order.append(len(ids))
        return forward(ids, batch)

    monkeypatch.setattr(encoder, "_forward", slow)
    with ThreadPoolExecutor(2) as pool:
        backlog = pool.submit(encoder.encode, some_texts(40))
        assert started.wait(30)
        query = pool.submit(encoder.encode, ["w1"], urgent=True)
        while not encoder._threads._urgent:
            assert not query.done()
        go.set()
        query.result(30)
        backlog.result(30)
    encoder.close()
    assert order[1] == 1  # the micro-batch that ran, then the query
    assert len(order) > 4


def test_each_thread_has_its_own_number_of_kernel_threads(
    tiny_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = _load(tiny_directory, threads=3)
    encoder._threads.wide, encoder._threads.watched = True, False
    seen = dict[str, int]()
    forward, both = encoder._forward, threading.Barrier(2, timeout=30)

    def look(ids: Any, batch: MicroBatch) -> Any:
        vectors = forward(ids, batch)
        name = threading.current_thread().name
        if not name.endswith("wide"):
            both.wait()
        seen[name] = torch.get_num_threads()
        return vectors

    monkeypatch.setattr(encoder, "_forward", look)
    monkeypatch.setattr("rowvec.encode.batching.share", lambda *_args, **_more: 8)
    encoder.encode(["w1"])
    encoder.encode([f"w{n}" for n in range(4)])  # two micro-batches
    encoder.encode(["w1"])
    encoder.close()
    assert seen.pop("rowvec-encode-wide") == 3
    assert len(seen) == 2
    assert set(seen.values()) == {1}


@pytest.mark.parametrize("faster", [True, False])
def test_a_lone_text_gets_all_cores_only_where_they_are_faster(
    tiny_directory: Path, monkeypatch: pytest.MonkeyPatch, faster: bool
) -> None:
    clock = [0.0]
    forward = TorchScriptEncoder._forward

    def timed(self: TorchScriptEncoder, ids: Any, batch: MicroBatch) -> Any:
        wide = threading.current_thread().name.endswith("wide")
        clock[0] += 0.01 if wide == faster else 0.02
        return forward(self, ids, batch)

    monkeypatch.setattr(TorchScriptEncoder, "_forward", timed)
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(kernels, "choose_exact", lambda _leaves: Kernel.PLAIN)
    encoder = _load(tiny_directory, threads=2)
    encoder.close()
    assert encoder._threads.wide == faster


def test_golden_vectors_that_differ_stop_the_start(tiny_directory: Path) -> None:
    path = tiny_directory / "golden.json"
    golden = json.loads(path.read_text())
    golden["vectors"][1][0] += 1e-4
    path.write_text(json.dumps(golden))
    write_manifest(tiny_directory)
    with pytest.raises(ArtefactError, match="differ from those at export"):
        _load(tiny_directory)


@needs_bf16
@pytest.mark.parametrize(
    ("cosines", "good"),
    [
        ([1.0, 1.0, 0.995], True),  # one hard text
        ([1.0, 1.0, 0.98], False),  # no rounding does that
        ([1.0, 0.9985, 0.9985], False),  # nor that to most texts
    ],
)
def test_lossy_golden_vectors_may_be_a_little_off(tiny_directory: Path, cosines: list[float], good: bool) -> None:
    path = tiny_directory / "golden.json"
    golden = json.loads(path.read_text())
    vectors = np.resize(np.array(golden["vectors"]), (3, DIMS))
    golden["texts"], golden["ids"] = ([golden[key][n % len(golden[key])] for n in range(3)] for key in ("texts", "ids"))
    away = np.roll(vectors, 1, axis=1)
    away -= (away * vectors).sum(axis=1, keepdims=True) * vectors
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    wanted = np.array(cosines)[:, None]
    golden["vectors"] = (wanted * vectors + np.sqrt(1 - wanted**2) * away).tolist()
    path.write_text(json.dumps(golden))
    write_manifest(tiny_directory)
    if good:
        _load(tiny_directory, precision="bf16").close()
    else:
        with pytest.raises(ArtefactError, match="differ from those at export by cosine"):
            _load(tiny_directory, precision="bf16")


@needs_bf16
def test_a_wrong_lossy_kernel_stops_the_start(tiny_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer whose columns are swapped in pairs, as a wrong layout would do."""
    pack = kernels.pack

    def wrong(leaves: list[Any], kernel: Kernel) -> None:
        weight = leaves[0].weight
        leaves[0].weight = weight.unflatten(1, (-1, 2)).flip(2).flatten(1)
        pack(leaves, kernel)

    monkeypatch.setattr(kernels, "pack", wrong)
    with pytest.raises(ArtefactError, match="differ from those at export"):
        _load(tiny_directory, precision="bf16")


def test_golden_ids_that_differ_stop_the_start(tiny_directory: Path) -> None:
    path = tiny_directory / "golden.json"
    golden = json.loads(path.read_text())
    golden["ids"][0][1] += 1
    path.write_text(json.dumps(golden))
    write_manifest(tiny_directory)
    with pytest.raises(ArtefactError, match="other ids than at export"):
        _load(tiny_directory)


def test_a_model_without_unit_vectors_is_proved_too(tmp_path: Path) -> None:
    encoder = _load(tiny_artefact(tmp_path / "raw", normalized=False))
    assert np.abs(np.linalg.norm(encoder.encode(some_texts(5)), axis=1) - 1).max() > 0.01
    encoder.close()


def test_another_model_than_the_bound_one_is_refused(tiny_directory: Path) -> None:
    with pytest.raises(ModelMismatch, match="holds tiny"):
        _load(tiny_directory, fingerprint="f" * 64)


def test_a_file_that_is_no_model_is_refused_with_both_versions(tiny_directory: Path) -> None:
    (tiny_directory / "model.pt").write_bytes(b"nonsense")
    write_manifest(tiny_directory, versions={"torch": "9.9"})
    with pytest.raises(ArtefactError, match=r"made with torch 9\.9"):
        _load(tiny_directory)


def test_bf16_is_refused_without_the_instructions(tiny_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "bf16_supported", lambda: False)
    with pytest.raises(SettingsError, match="bf16"):
        _load(tiny_directory, precision="bf16")


def test_fp16_is_refused_on_a_cpu(tiny_directory: Path) -> None:
    with pytest.raises(SettingsError, match="fp16 is for a GPU"):
        _load(tiny_directory, precision="fp16")


@needs_bf16
def test_bf16_is_close_and_stays_close_in_any_batch(tiny_directory: Path) -> None:
    exact, lossy = _load(tiny_directory), _load(tiny_directory, precision="bf16")
    texts = some_texts(60)
    together = lossy.encode(texts)
    assert lossy.kernel is Kernel.BF16
    assert (exact.encode(texts) * together).sum(axis=1).min() > 0.999
    assert max(np.abs(lossy.encode([text])[0] - row).max() for text, row in zip(texts, together, strict=True)) <= 4e-3
    exact.close()
    lossy.close()


def test_a_graph_that_cannot_be_rewritten_runs_as_it_is(
    tiny_directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tiny: TorchScriptEncoder
) -> None:
    def fail(_module: object, *, bf16: bool) -> None:
        raise AttributeError("no such pass")

    monkeypatch.setattr(torchscript, "fuse", fail)
    monkeypatch.setattr(kernels, "choose_exact", lambda _leaves: Kernel.ONEDNN)
    encoder = _load(tiny_directory)
    assert "no such pass" in caplog.text
    assert np.abs(encoder.encode(["w1 w2"]) - tiny.encode(["w1 w2"])).max() <= 1e-6
    encoder.close()


@pytest.mark.parametrize("kernel", [Kernel.PLAIN, Kernel.ONEDNN])
def test_both_exact_kernels_give_the_same_numbers(
    tiny_directory: Path, monkeypatch: pytest.MonkeyPatch, kernel: Kernel, tiny: TorchScriptEncoder
) -> None:
    monkeypatch.setattr(kernels, "choose_exact", lambda _leaves: kernel)
    encoder = _load(tiny_directory)
    texts = some_texts(60)
    assert encoder.kernel is kernel
    assert np.abs(encoder.encode(texts) - tiny.encode(texts)).max() <= 1e-6
    encoder.close()


def test_a_lossy_matmul_setting_of_the_host_does_not_reach_the_vectors(tiny_directory: Path) -> None:
    """On a CPU with AMX, "medium" makes torch round every fp32 product to bf16."""
    torch.set_float32_matmul_precision("medium")
    try:
        encoder = _load(tiny_directory)
        assert getattr(torch.backends.mkldnn, "matmul").fp32_precision == "ieee"  # noqa: B009
        encoder.close()
    finally:
        torch.set_float32_matmul_precision("highest")


def test_a_model_goes_to_another_device_as_a_whole(tiny_directory: Path) -> None:
    """Checked without a GPU on the meta device."""
    moved = kernels.open_module(tiny_directory / "model.pt", made_with="this", device="meta")
    assert all(buffer.device.type == "meta" for buffer in moved.buffers())


def test_the_defaults_load_a_model_in_fp32_on_the_cores_allowed(tiny_template: Path) -> None:
    encoder = load(str(tiny_template))
    assert encoder.threads == usable_cores()
    assert encoder.kernel in (Kernel.PLAIN, Kernel.ONEDNN)
    assert encoder.encode(["w1", "w2"]).shape == (2, DIMS)
    encoder.close()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_the_cast_kernels_of_a_gpu(tiny_directory: Path, tiny: TorchScriptEncoder, precision: str) -> None:
    """On the CPU, where they are only slow."""
    module = kernels.open_module(tiny_directory / "model.pt", made_with="this")
    leaves = kernels.packed_leaves(module)
    kernels.pack(leaves, kernels.choose_lossy(leaves, precision, "cuda"))
    assert {leaf.packed_weight.dtype for leaf in leaves} == {torch.bfloat16 if precision == "bf16" else torch.float16}
    ids = torch.tensor([tiny._tokenizer(["w1 w2 w3"])[0].tolist()])
    with torch.inference_mode():
        vector = module(ids, torch.ones_like(ids))[0].numpy()
    exact = tiny.encode(["w1 w2 w3"])[0]
    assert vector @ exact > 0.999
    assert np.abs(vector - exact).max() > 1e-6
