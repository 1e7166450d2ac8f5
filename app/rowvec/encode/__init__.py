"""Text to vector: an artefact on disk, its tokenizer, micro-batches, the encoder that runs them on all cores.

Imports: errors and settings. Knows torch and no SQL. Begin at `encoder` (what others see), then `torchscript`.
"""
