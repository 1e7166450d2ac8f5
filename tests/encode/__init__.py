"""Tests of the encoder: artefact, tokenizer, micro-batches, threads, kernels."""
