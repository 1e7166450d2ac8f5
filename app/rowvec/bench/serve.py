"""One engine of a measurement in a process of its own, and both ends of its pipe: lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rowvec.bench.corpora import Corpus
from rowvec.errors import RowvecError

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def serve(encode: Encode, **facts: Any) -> None:
    """Say that the engine is ready, with `facts` about it; then answer `{"texts", "alone", "save"}` until stdin ends.

    The answer's `seconds` is the wall time of encoding all texts in one call, or, for `alone`, the median of one text;
    `cpu_seconds` is the CPU time of the process for all of it. With `save`, the vectors are written there as .npy.
    """
    answers = sys.stdout
    sys.stdout = sys.stderr  # libraries print
    print(json.dumps({"ready": True, **facts}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        texts: list[str] = request["texts"]
        cpu = time.process_time()
        if request["alone"]:
            seconds: list[float] = []
            rows = []
            for text in texts:
                start = time.perf_counter()
                rows.append(encode([text]))
                seconds.append(time.perf_counter() - start)
            vectors, taken = np.concatenate(rows), float(np.median(seconds))
        else:
            start = time.perf_counter()
            vectors = encode(texts)
            taken = time.perf_counter() - start
        cpu = time.process_time() - cpu
        if request["save"]:
            np.save(request["save"], vectors)
        print(json.dumps({"seconds": taken, "cpu_seconds": cpu}), file=answers, flush=True)


class Engine:
    """The process, from outside."""

    def __init__(self, command: list[str], threads: int) -> None:
        """Start it; RowvecError, with its last line on stderr, when it ends before it is ready."""
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed in close)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, env=environment
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in: IO[str] = self._process.stdin
        self._out: IO[str] = self._process.stdout
        try:
            self.facts = self._read()
        except RowvecError:
            self.close()
            raise

    def encode(self, corpus: Corpus, save: Path | None) -> tuple[float, float]:
        """Return the seconds and the CPU seconds that the corpus took."""
        request = {"texts": corpus.texts, "alone": corpus.alone, "save": str(save) if save else None}
        self._in.write(json.dumps(request) + "\n")
        self._in.flush()
        answer = self._read()
        return float(answer["seconds"]), float(answer["cpu_seconds"])

    def close(self) -> None:
        """End the process."""
        self._in.close()
        self._process.wait()
        self._out.close()
        self._errors.close()

    def _read(self) -> dict[str, Any]:
        line = self._out.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().strip().splitlines()
            raise RowvecError(said[-1][:200] if said else f"exit status {self._process.returncode}")
        answer: dict[str, Any] = json.loads(line)
        return answer
