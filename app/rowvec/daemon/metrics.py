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
    """Gauges of what waits for each source, as the last heartbeat saw it; alert on the lag."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sources: set[str] = set()
        columns = {"pending": "keys waiting", "dead": "dead letters", "lag_seconds": "age of the backlog"}
        self._gauges = [
            Gauge(f"rowvec_source_{name}", f"{what}, by source", ["source"], registry=registry)
            for name, what in columns.items()
        ]

    def update(self, connection: Connection) -> None:
        """Read every source's backlog."""
        with translated():
            rows = {source: values for source, *values in connection.execute(statement("daemon/backlogs")).fetchall()}
        for place, gauge in enumerate(self._gauges):
            for gone in self._sources - rows.keys():
                gauge.remove(gone)
            for source, values in rows.items():
                gauge.labels(source).set(values[place])
        self._sources = set(rows)


def serve(port: int, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
    """Serve the metrics on a port (0: any free one); raise SettingsError when the port is taken."""
    try:
        return start_http_server(port, registry=registry)
    except OSError as error:
        raise SettingsError(f"ROWVEC_METRICS_PORT: port {port}: {error.strerror}", hint="Choose a free port.") from None
