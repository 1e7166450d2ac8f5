"""rowvec's own engine of a measurement: `python -m rowvec.bench.engine PRECISION ARTEFACT THREADS`."""

from __future__ import annotations

import sys

from rowvec.bench.serve import serve
from rowvec.encode.load import load


def main(precision: str, artefact: str, threads: str) -> None:
    """Serve the encoder in fp32 or bf16 until stdin ends."""
    encoder = load(artefact, precision="bf16" if precision == "bf16" else "fp32", threads=int(threads), device="cpu")
    serve(encoder.encode, kernel=encoder.kernel.name, max_batch_tokens=encoder.max_batch_tokens)
    encoder.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
