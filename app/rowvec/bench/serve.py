"""One engine of a measurement, in a process of its own: requests and answers are lines of JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
