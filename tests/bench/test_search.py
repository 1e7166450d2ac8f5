"""bench search: runs on a small table, finds what brute force finds, and leaves nothing behind."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import psycopg
import pytest

from rowvec.bench import plot, search
from tests.servers import Server


@pytest.mark.slow
def test_a_small_run(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        count = "SELECT (SELECT count(*) FROM pg_database), (SELECT count(*) FROM pg_roles)"
        before = connection.execute(count).fetchone()
        report = search.run(server.url, rows=3000, dims=32, queries=5, kinds=("vector",), memory="64MB")
        assert connection.execute(count).fetchone() == before
    assert [result.case for result in report.results][:2] == ["all rows", "all rows"]
    assert all(result.recall >= 0.9 for result in report.results)
    assert [result.rows_least for result in report.results] == [10, 200, 10, 10, 10, 10, 1]
    assert report.text_way in ("mailbox", "loopback")
    assert report.text_p50_ms > report.encoder_p50_ms > 0
    assert report.as_dict()["results"][0]["ratio"] > 0
    words = [element.text or "" for element in ET.fromstring(plot.search(report.as_dict())).iter()]
    assert "index of vector" in words
    assert words.count("hand-written SQL") == 2
