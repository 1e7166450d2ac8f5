"""The measurement of the change log runs to its end and leaves nothing behind; its figures are not judged here."""

from __future__ import annotations

import psycopg
import pytest

from rowvec.bench import chunks, sync
from rowvec.settings import Settings
from tests.fakes import HashEncoder

pytestmark = pytest.mark.slow


def test_a_short_run_gives_every_figure(connection: psycopg.Connection, database_url: str) -> None:
    report = sync.run(database_url, Settings(), rows=600, rounds=1).as_dict()
    assert len(report["writers"]) == 7
    assert all(writer["ratio"] > 0 for writer in report["writers"])
    assert report["drain_rows_per_second"] > 0
    assert set(report["latency_ms"]) == {"p50", "p95", "p99"}
    report = chunks.run(database_url, Settings(), HashEncoder(), documents=2, rounds=1).as_dict()
    assert (report["documents"], report["ratio"] > 0) == (2, True)
    assert report["chunks"] > 2
    assert connection.execute("SELECT count(*) FROM rowvec_internal.source").fetchone() == (0,)
    assert connection.execute(
        "SELECT to_regclass('rowvec_bench'), to_regclass('rowvec.rowvec_bench_vectors')"
    ).fetchone() == (
        None,
        None,
    )
