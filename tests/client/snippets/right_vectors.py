"""A program of a user with numpy and the encoder."""

from __future__ import annotations

from typing import assert_type

import numpy as np

import rowvec

encoder = rowvec.Encoder.load("models/all-MiniLM-L6-v2", precision="bf16")
vectors = encoder.encode(["a text"])
assert_type(encoder, rowvec.Encoder)
with rowvec.connect("postgresql://") as client:
    client.search("documents", vectors[0])
    client.search("documents", np.zeros(384, dtype=np.float64), exact=True)
    assert_type(client.embed("a text"), list[float])
