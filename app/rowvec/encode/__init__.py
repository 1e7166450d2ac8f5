"""Text to vector: an artefact on disk, its tokenizer, chunks, micro-batches, an encoder that uses all allowed cores.

Imports errors and settings; of rowvec's packages it alone may import torch, and it knows no SQL.
Begin at `encoder` (what the others see) and `load`, then `torchscript`.
"""
