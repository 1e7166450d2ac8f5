"""From a Hugging Face or sentence-transformers model to an artefact: find, read, trace, check, write.

Imports rowvec.errors and rowvec.encode (the artefact's format and kernels); it alone imports transformers.
Begin at `exporter`, then `loading`.
"""
