"""The Prometheus endpoint, asked as Prometheus does."""

from __future__ import annotations

import socket
from urllib.request import urlopen

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from rowvec.daemon import metrics
from rowvec.errors import SettingsError
from tests.checking import wait
from tests.running import daemon


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_daemon_tells_what_it_did(documents: psycopg.Connection, database_url: str) -> None:
    port = free_port()
    documents.execute("SELECT rowvec.watch('documents', 'body', backfill => false)")
    with daemon(database_url, metrics_port=port, lease_seconds=0.3):
        documents.execute("INSERT INTO documents (body) VALUES ('one'), ('two')")
        wait(documents)
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
    assert "rowvec_texts_total 2.0" in lines
    assert any(line.startswith('rowvec_source_pending{source="documents"}') for line in lines)


def test_a_source_that_is_gone_has_no_gauges(documents: psycopg.Connection) -> None:
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    documents.execute("SELECT rowvec.watch('documents', 'title', name => 'titles')")
    registry = CollectorRegistry()
    backlogs = metrics.Backlogs(registry)
    backlogs.update(documents)
    documents.execute("SELECT rowvec.unwatch('titles')")
    backlogs.update(documents)
    for name in ("pending", "dead", "lag_seconds"):
        assert registry.get_sample_value(f"rowvec_source_{name}", {"source": "documents"}) is not None
        assert registry.get_sample_value(f"rowvec_source_{name}", {"source": "titles"}) is None


def test_a_taken_port_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="ROWVEC_METRICS_PORT"):
            metrics.serve(taken.getsockname()[1], CollectorRegistry())
