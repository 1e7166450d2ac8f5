"""The Prometheus endpoint of a daemon: its pipeline's counters, and each source's backlog."""

from __future__ import annotations

from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Gauge, start_http_server
from psycopg import Connection

from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import SettingsError


class Backlogs:
    """Gauges of what waits for each source, as the last heartbeat saw it; a source that is gone has none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the gauges. The lag is the age of a source's oldest live change, the number to alert on."""
        self._sources: set[str] = set()
        self._pending, self._dead, self._lag = self._gauges = tuple(
            Gauge(f"rowvec_source_{name}", f"{what}, by source", ["source"], registry=registry)
            for name, what in (
                ("pending", "keys waiting"),
                ("dead", "dead letters"),
                ("lag_seconds", "age of the backlog"),
            )
        )

    def update(self, connection: Connection) -> None:
        """Read every source's backlog."""
        with translated():
            rows = connection.execute(statement("daemon/backlogs")).fetchall()
        for gone in self._sources.difference(row[0] for row in rows):
            for gauge in self._gauges:
                gauge.remove(gone)
        self._sources = {row[0] for row in rows}
        for source, pending, dead, lag_seconds in rows:
            self._pending.labels(source).set(pending)
            self._dead.labels(source).set(dead)
            self._lag.labels(source).set(lag_seconds)


def serve(port: int, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
    """Serve the metrics on a port (0: any free one); raise SettingsError when the port is taken."""
    try:
        return start_http_server(port, registry=registry)
    except OSError as error:
        raise SettingsError(f"ROWVEC_METRICS_PORT: port {port}: {error.strerror}", hint="Choose a free port.") from None
