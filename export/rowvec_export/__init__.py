"""From a Hugging Face or sentence-transformers model to an artefact; the only place that imports transformers."""
