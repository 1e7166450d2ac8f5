"""What a pipeline counts, as Prometheus counters of a registry of its own."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter


class Statistics:
    """Counters since the pipeline was made; safe to raise from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        self.keys = counter("rowvec_keys", "keys finished")
        self.texts = counter("rowvec_texts", "texts encoded")
        self.failed = counter("rowvec_failed", "texts that the model failed on")
        self.races = counter("rowvec_races", "changes that went back to the log: a newer claim was faster")
        self.encode_seconds = counter("rowvec_encode_seconds", "time in the model")

    def total(self, name: str) -> int:
        """Return the value of rowvec_<name>_total."""
        return int(self.registry.get_sample_value(f"rowvec_{name}_total") or 0)
