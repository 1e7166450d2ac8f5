"""`rowvec bench encode`: rowvec against what others encode with, same weights, same texts, same threads, interleaved.

Each engine is a process of its own, kept for the whole run. Every round goes through all engines for each corpus, in an
order that rotates, so that a busy moment of the machine does not fall on one engine only; the medians are reported.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rowvec.bench.corpora import Corpus, corpora
from rowvec.bench.serve import Engine
from rowvec.encode.artefact import Manifest, read_manifest
from rowvec.encode.cores import usable_cores
from rowvec.encode.tokenizer import TextTokenizer
from rowvec.errors import RowvecError

ROWVEC = ("rowvec fp32", "rowvec bf16")
PEERS = (
    "sentence-transformers",
    "onnxruntime fp32",
    "onnxruntime int8",
    "openvino fp32",
    "openvino bf16",
    "fastembed's batches",
)
REFERENCE = "sentence-transformers"

Times = dict[tuple[str, str], list[tuple[float, float]]]  # (engine, corpus): seconds and CPU seconds of each round


@dataclass(frozen=True, slots=True)
class Result:
    """One engine on one corpus; medians over the rounds."""

    engine: str
    corpus: str
    seconds: float  # of the whole corpus; for texts alone, of one text
    rounds: tuple[float, ...]
    cpu_seconds: float  # of all texts and threads; on a busy machine, with one thread, the fairer figure
    texts_per_second: float
    tokens_per_second: float  # real tokens: padding does not count
    ratio: float | None  # times sentence-transformers
    cpu_ratio: float | None  # the same in CPU seconds
    of_gemm: float | None  # share of the machine's own matrix speed, fp32 or bf16 as the engine
    min_cosine: float | None  # against sentence-transformers
    max_abs: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    machine: dict[str, Any]
    model: dict[str, Any]
    corpora: list[dict[str, Any]]
    gemm_gflops: dict[str, float | None]
    results: list[Result]
    skipped: dict[str, str] = field(default_factory=dict)  # engine: why

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Give a line for each engine and corpus."""
        for result in self.results:
            ratio = f"{result.ratio:5.2f}x" if result.ratio else "      "
            yield f"{result.corpus:16} {result.engine:24} {result.texts_per_second:10,.1f} texts/s {ratio}"


def run(
    artefact: Path,
    *,
    model: str | None = None,
    threads: int | None = None,
    rounds: int = 5,
    scale: float = 1.0,
    engines: Sequence[str] | None = None,
    progress: Callable[[str], None] = lambda _line: None,
) -> Report:
    """Measure the artefact, and the peers that this environment has, on the same texts.

    `model` is where the peers find the same weights: a folder, a packaged name or a hub id (default: the artefact's
    name). `engines` picks from ROWVEC and PEERS; one whose library is missing is skipped, with the reason. `progress`
    is told each step.
    """
    manifest = read_manifest(artefact)
    threads = threads or usable_cores()
    texts = corpora(scale)
    tokenizer = TextTokenizer(manifest.path("tokenizer.json"), max_tokens=manifest.max_tokens)
    tokens = {corpus.name: [len(ids) for ids in tokenizer(corpus.texts)] for corpus in texts}
    with tempfile.TemporaryDirectory(prefix="rowvec-bench-") as scratch:
        running, skipped = _start(engines or (*PEERS, *ROWVEC), manifest, model or manifest.name, threads, scratch)
        try:
            times, vectors, limits, flops = _measure(running, texts, artefact, threads, rounds, scratch, progress)
        finally:
            for engine in running.values():
                engine.close()
    return Report(
        machine={"cpu": _cpu_name(), "threads": threads, "python": platform.python_version()},
        model={"name": manifest.name, "fingerprint": manifest.fingerprint, "versions": dict(manifest.versions)},
        corpora=[
            {
                "name": corpus.name,
                "texts": len(corpus.texts),
                "median_tokens": statistics.median(tokens[corpus.name]),
                "tokens": sum(tokens[corpus.name]),
            }
            for corpus in texts
        ],
        gemm_gflops=limits,
        results=[
            _result(name, corpus, times, vectors, tokens[corpus.name], limits, flops)
            for corpus in texts
            for name in running
        ],
        skipped=skipped,
    )


def _start(
    names: Sequence[str], manifest: Manifest, model: str, threads: int, scratch: str
) -> tuple[dict[str, Engine], dict[str, str]]:
    running: dict[str, Engine] = {}
    skipped: dict[str, str] = {}
    for name in names:
        if name in ROWVEC:
            arguments = ["rowvec.bench.engine", name.split()[1], str(manifest.directory), str(threads)]
        else:
            arguments = ["rowvec.bench.peers", name, model, str(threads), scratch]
        try:
            running[name] = Engine([sys.executable, "-m", *arguments], threads)
        except RowvecError as error:
            skipped[name] = str(error)
    return running, skipped


def _measure(
    running: dict[str, Engine],
    texts: Sequence[Corpus],
    artefact: Path,
    threads: int,
    rounds: int,
    scratch: str,
    progress: Callable[[str], None],
) -> tuple[Times, dict[tuple[str, str], Any], dict[str, float | None], int]:
    times: Times = {(name, c.name): [] for name in running for c in texts}
    vectors: dict[tuple[str, str], Any] = {}
    machine: list[dict[str, Any]] = []
    for number, (name, engine) in enumerate(running.items()):  # not timed: warms up, and gives the vectors to compare
        for corpus in texts:
            path = Path(scratch) / f"{number}-{corpus.name}.npy"
            engine.encode(corpus, path)
            vectors[name, corpus.name] = np.load(path)
        progress(f"{name}: warm")
    names = list(running)
    for turn in range(rounds):
        command = [sys.executable, "-m", "rowvec.bench.gemm", str(artefact), str(threads)]
        machine.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        for corpus in texts:
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                times[name, corpus.name].append(running[name].encode(corpus, None))
        progress(f"round {turn + 1} of {rounds}")
    limits = {
        kind: statistics.median(one["gflops"][kind] for one in machine) if machine[0]["gflops"][kind] else None
        for kind in ("fp32", "bf16")
    }
    return times, vectors, limits, machine[0]["flops_per_token"]


def _result(
    name: str,
    corpus: Corpus,
    times: Times,
    vectors: dict[tuple[str, str], Any],
    tokens: list[int],
    limits: dict[str, float | None],
    flops: int,
) -> Result:
    taken = [wall for wall, _ in times[name, corpus.name]]
    cpu = [used for _, used in times[name, corpus.name]]
    seconds = statistics.median(taken)
    count = 1 if corpus.alone else len(corpus.texts)
    tokens_per_second = (statistics.median(tokens) if corpus.alone else sum(tokens)) / seconds
    reference = times.get((REFERENCE, corpus.name), [])
    limit = limits["bf16" if "bf16" in name else "fp32"]
    cosine = apart = None
    if reference:
        wanted, found = vectors[REFERENCE, corpus.name], vectors[name, corpus.name]
        norms = np.linalg.norm(wanted, axis=1) * np.linalg.norm(found, axis=1)
        cosine, apart = float(((wanted * found).sum(axis=1) / norms).min()), float(np.abs(wanted - found).max())
    return Result(
        engine=name,
        corpus=corpus.name,
        seconds=seconds,
        rounds=tuple(taken),
        texts_per_second=count / seconds,
        tokens_per_second=tokens_per_second,
        cpu_seconds=statistics.median(cpu),
        ratio=_ratio([wall for wall, _ in reference], taken),
        cpu_ratio=_ratio([used for _, used in reference], cpu),
        of_gemm=tokens_per_second * flops / 1e9 / limit if limit and "int8" not in name else None,
        min_cosine=cosine,
        max_abs=apart,
    )


def _ratio(reference: Sequence[float], taken: Sequence[float]) -> float | None:
    """Return the median of the rounds' ratios, None without a reference: both engines had the same minute."""
    return statistics.median(r / t for r, t in zip(reference, taken, strict=True)) if reference else None


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
