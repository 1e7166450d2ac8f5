"""What a pipeline counts, as Prometheus counters of a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class Statistics:
    """Counters since the pipeline was made; safe to raise from any thread."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self.keys = Counter("rowvec_keys", "keys finished", registry=self.registry)
        self.texts = Counter("rowvec_texts", "texts encoded", registry=self.registry)
        self.failed = Counter("rowvec_failed", "texts that the model failed on", registry=self.registry)
        self.races = Counter(
            "rowvec_races", "changes that went back to the log because a newer claim was faster", registry=self.registry
        )
        self.encode_seconds = Counter("rowvec_encode_seconds", "time in the model", registry=self.registry)

    def total(self, name: str) -> int:
        """Return the value of rowvec_<name>_total."""
        return int(self.registry.get_sample_value(f"rowvec_{name}_total") or 0)
