"""The encoder that runs an exported TorchScript model: load, check, then texts to vectors on all allowed cores."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from rowvec.encode import batching, kernels
from rowvec.encode.artefact import Manifest
from rowvec.encode.batching import MicroBatch
from rowvec.encode.chunks import Measure
from rowvec.encode.encoder import UnencodableText
from rowvec.encode.fusion import fuse
from rowvec.encode.kernels import Kernel
from rowvec.encode.threads import EncoderThreads, Job
from rowvec.encode.tokenizer import TextTokenizer, TokenIds
from rowvec.errors import ArtefactError, EncodingError

if TYPE_CHECKING:
    from rowvec.settings import Precision

log = logging.getLogger(__name__)

_SLICE_TEXTS = 2048  # texts tokenized and sorted together: bounds memory for a call of any size
# Throughput is flat from 512 to 8,192 tokens on one core; a query waits for one micro-batch, so the smallest is best.
_CPU_BATCH_TOKENS = 512
_GPU_BATCH_TOKENS = 32_768
_TRIAL_TEXT = "how do I compress a file"
_TRIAL_SECONDS = 0.2
_CLEARLY_FASTER = 0.9
_GOLDEN_MAX_ABS = 1e-5
# bf16 and fp16. A wrong kernel moves every text, while a right one may be far off on one: 0.9988 of T5 with random
# weights of width 32. The worst median of 20 such architectures is 0.9999; one layer with its columns swapped in pairs
# gives a median of 0.992 (a tiny model of one block) or 0.94 (all-MiniLM-L6-v2).
_GOLDEN_MEDIAN_COSINE = 0.999
_GOLDEN_MIN_COSINE = 0.99


class TorchScriptEncoder:
    """A loaded model. `encode` may be called from any thread; `close` ends its threads."""

    def __init__(
        self,
        manifest: Manifest,
        *,
        precision: Precision,
        threads: int,
        max_batch_tokens: int | None = None,
        device: str | None = None,
    ) -> None:
        """Load the model of a manifest and check it; see `rowvec.encode.load.load`, which is the way in."""
        self.manifest = manifest
        self.dims = manifest.dims
        self.threads = threads
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        on_cpu = self.device == "cpu"
        self.max_batch_tokens = max_batch_tokens or (_CPU_BATCH_TOKENS if on_cpu else _GPU_BATCH_TOKENS)
        self._tokenizer = TextTokenizer(manifest.path("tokenizer.json"), max_tokens=manifest.max_tokens)
        # In a thread of its own with one core, as the narrow threads have: the kernels are timed as they will be used,
        # and the caller's own setting of torch's threads stays.
        with ThreadPoolExecutor(1, initializer=kernels.use_threads, initargs=(1,)) as apart:
            self._module, self.kernel = apart.submit(_open, manifest, self.device, precision).result()
        # A GPU is fed by one thread: two streams of batches would need twice its memory.
        self._threads = EncoderThreads(threads if on_cpu else 1, prepare=kernels.use_threads)
        try:
            self._check_golden()
            self._choose_width()
        except BaseException:
            self.close()
            raise

    @property
    def measure(self) -> Measure:
        """What counts its tokens."""
        return self._tokenizer

    def encode(
        self,
        texts: Sequence[str],
        *,
        prompt: str = "",
        urgent: bool = False,
        truncated: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """Return vectors, float32 of shape (len(texts), dims); see `rowvec.encode.encoder.Encoder`."""
        vectors = np.empty((len(texts), self.dims), dtype=np.float32)
        truncated = np.empty(len(texts), dtype=np.bool_) if truncated is None else truncated
        running: _Slice | None = None
        for start in range(0, len(texts), _SLICE_TEXTS):
            part = slice(start, start + _SLICE_TEXTS)
            started = self._start(texts[part], prompt, urgent, truncated[part], vectors[part], first=start)
            if running is not None:  # the next slice is tokenized while the one before it runs
                running.finish()
            running = started
        if running is not None:
            running.finish()
        return vectors

    def close(self) -> None:
        """End the threads; micro-batches that run are finished, queued ones raise EncodingError."""
        self._threads.close()

    def _start(
        self,
        texts: Sequence[str],
        prompt: str,
        urgent: bool,
        truncated: NDArray[np.bool_],
        into: NDArray[np.float32],
        *,
        first: int,
    ) -> _Slice:
        """Tokenize a slice of a call and queue its micro-batches; equal texts are encoded once."""
        unique, where = batching.distinct(texts)
        unique_truncated = np.zeros(len(unique), dtype=np.bool_)
        ids = self._tokenizer([prompt + text for text in unique] if prompt else unique, unique_truncated)
        truncated[:] = unique_truncated[where]
        lengths = [len(one) for one in ids]
        budget = batching.share(sum(lengths), threads=self._threads.threads, max_batch_tokens=self.max_batch_tokens)
        batches = batching.plan(lengths, max_batch_tokens=budget, max_tokens=self.manifest.max_tokens)
        vectors = np.empty((len(unique), self.dims), dtype=np.float32)

        def run(batch: MicroBatch) -> None:
            vectors[list(batch.rows)] = self._forward(ids, batch)

        job = self._threads.start([partial(run, batch) for batch in batches], urgent=urgent)
        return _Slice(job, vectors, where, into, first)

    def _forward(self, ids: Sequence[TokenIds], batch: MicroBatch) -> NDArray[np.float32]:
        """Run one micro-batch in the thread that calls; float32 of shape (rows, dims)."""
        tokens, mask = batching.pad(ids, batch, pad_id=self.manifest.pad_id)
        with torch.inference_mode():
            try:
                if self.device == "cpu":
                    vectors = self._module(torch.from_numpy(tokens), torch.from_numpy(mask))
                else:
                    vectors = self._module(*(self._upload(array) for array in (tokens, mask)))
            except RuntimeError as error:
                lines = str(error).strip().splitlines()
                raise EncodingError(f"the model failed on a batch: {lines[-1] if lines else error}") from error
            result: NDArray[np.float32] = vectors.float().cpu().numpy()
        return result

    def _upload(self, array: NDArray[np.int64]) -> torch.Tensor:
        """Copy to the GPU from pinned memory, so that the copy does not wait for the kernels before it."""
        return torch.from_numpy(array).pin_memory().to(self.device, non_blocking=True)

    def _check_golden(self) -> None:
        """Encode the golden texts and compare; ArtefactError when this machine does not give the exporter's numbers."""
        golden = json.loads(self.manifest.path("golden.json").read_text("utf-8"))
        texts: list[str] = golden["texts"]
        for text, expected, got in zip(texts, golden["ids"], self._tokenizer(texts), strict=True):
            if got.tolist() != expected:
                raise ArtefactError(
                    f"{self.manifest.name}: the tokenizer gives other ids than at export for {text[:40]!r}",
                    hint="Use the version of tokenizers that the model was exported with, or export it again.",
                )
        wanted, found = np.array(golden["vectors"], dtype=np.float32), self.encode(texts)
        norms = np.linalg.norm(wanted, axis=1)
        if self.kernel in (Kernel.PLAIN, Kernel.ONEDNN):
            # Vectors that are not normalized are longer than 1, and so are their rounding errors.
            worst = float((np.abs(wanted - found).max(axis=1) / np.maximum(norms, 1.0)).max())
            apart, good = f"{worst:.1e}", worst <= _GOLDEN_MAX_ABS
        else:
            cosine = (wanted * found).sum(axis=1) / (norms * np.linalg.norm(found, axis=1))
            lowest, median = float(cosine.min()), float(np.median(cosine))
            apart = f"cosine {lowest:.6f}, median {median:.6f}"
            good = lowest >= _GOLDEN_MIN_COSINE and median >= _GOLDEN_MEDIAN_COSINE
        if not good:
            raise ArtefactError(
                f"{self.manifest.name}: its vectors differ from those at export by {apart} ({self.kernel.name})",
                hint="This machine's kernels do not give the exporter's numbers; report it with `rowvec doctor`.",
            )

    def _choose_width(self) -> None:
        """Time one short text on all cores against one core, in turns; keep all cores only where they are faster.

        A model may be so small that they are not. The best turns are compared: whether others use the cores at this
        moment does not matter (`EncoderThreads` watches that). Takes 0.2 s, or two turns.
        """
        if not self._threads.wide:
            return
        taken: dict[bool, list[float]] = {True: [], False: []}
        until = time.perf_counter() + _TRIAL_SECONDS
        self._threads.watched = False
        self.encode([_TRIAL_TEXT])  # compiles the kernels
        while len(taken[False]) < 2 or time.perf_counter() < until:
            for wide, seconds in taken.items():
                self._threads.wide = wide
                start = time.perf_counter()
                self.encode([_TRIAL_TEXT])
                seconds.append(time.perf_counter() - start)
        self._threads.wide = min(taken[True]) < min(taken[False]) * _CLEARLY_FASTER
        self._threads.watched = True


def _open(manifest: Manifest, device: str, precision: Precision) -> tuple[torch.jit.ScriptModule, Kernel]:
    """Load the module and give it the best kernel of this machine."""
    made_with = manifest.versions.get("torch", "unknown")
    module = kernels.open_module(manifest.path("model.pt"), made_with=made_with, device=device)
    leaves = kernels.packed_leaves(module)
    if precision != "fp32":
        kernel = kernels.choose_lossy(leaves, precision, device)
    else:
        kernel = kernels.choose_exact(leaves) if device == "cpu" else Kernel.PLAIN
    kernels.pack(leaves, kernel)
    if kernel in (Kernel.ONEDNN, Kernel.BF16):
        try:
            module = fuse(module, bf16=kernel is Kernel.BF16)
        except (AttributeError, RuntimeError, TypeError) as error:  # another torch's graphs may be of another form
            log.warning("fusion failed, the model runs slower without it: %s", repr(error)[:200])
    return module, kernel


@dataclass(frozen=True, slots=True)
class _Slice:
    """A slice of a call whose micro-batches run, and where its vectors go."""

    job: Job
    vectors: NDArray[np.float32]  # of the distinct texts
    where: list[int]  # each text's row in them
    into: NDArray[np.float32]
    first: int  # the slice's first text in the call

    def finish(self) -> None:
        """Wait, check that every number is finite, and write the rows into the call's matrix."""
        self.job.wait()
        np.take(self.vectors, self.where, axis=0, out=self.into)
        broken = ~np.isfinite(self.into).all(axis=1)
        if broken.any():
            raise UnencodableText(self.first + int(broken.argmax()), "the model gave a vector that is not finite")
