"""The Prometheus endpoint of a daemon: its own counters, and each source's backlog as the last heartbeat saw it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rowvec.errors import SettingsError


@dataclass(slots=True)
class Stats:
    """Counters of this process since its start; each field is a metric, described here.

    keys: keys finished. texts: texts encoded. failed: texts that the model failed on. races: changes that went back to
    the log because a newer one was faster. encode_seconds: time in the model.
    """

    keys: int = 0
    texts: int = 0
    failed: int = 0
    races: int = 0
    encode_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a source; `lag_seconds` is the age of its oldest live change, the number to alert on."""

    source: str
    pending: int
    dead: int
    lag_seconds: float


class _Collector(Collector):
    def __init__(self, stats: Stats, backlogs: Callable[[], list[Backlog]]) -> None:
        self._stats, self._backlogs = stats, backlogs

    def collect(self) -> Iterable[Metric]:
        for field in fields(self._stats):
            value = getattr(self._stats, field.name)
            yield CounterMetricFamily(f"rowvec_{field.name}", f"{field.name} since the daemon's start", value=value)
        for name, what in (
            ("pending", "keys waiting"),
            ("dead", "dead letters"),
            ("lag_seconds", "age of the backlog"),
        ):
            gauge = GaugeMetricFamily(f"rowvec_source_{name}", f"{what}, by source", labels=["source"])
            for backlog in self._backlogs():
                gauge.add_metric([backlog.source], getattr(backlog, name))
            yield gauge


def serve(port: int, stats: Stats, backlogs: Callable[[], list[Backlog]]) -> tuple[WSGIServer, Thread]:
    """Serve the metrics on a port (0: any free one); raise SettingsError when the port is taken."""
    registry = CollectorRegistry()
    registry.register(_Collector(stats, backlogs))
    try:
        return start_http_server(port, registry=registry)
    except OSError as error:
        raise SettingsError(f"ROWVEC_METRICS_PORT: port {port}: {error.strerror}", hint="Choose a free port.") from None
