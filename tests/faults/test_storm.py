"""Promise 2 under 100 kills, 20 freezes, 10 restarts and 5 crashes: 0 stale, 0 missing, 0 orphan, no user harmed."""

from __future__ import annotations

import psycopg
import pytest

from tests.running import SHAPES
from tests.servers import Server, wait_for_server
from tests.storm import LEASE_SECONDS, Storm

in_every_shape = pytest.mark.parametrize("shape", SHAPES, indirect=True)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.usefixtures("docs")]


@in_every_shape
def test_kills_freezes_and_lost_connections(database_url: str, shape: str) -> None:
    with Storm(database_url, shape=shape) as storm:
        for turn in range(20):
            thaw = storm.freeze()
            for _ in range(5):
                storm.stop.wait(1.2 * LEASE_SECONDS / 5)
                storm.kill()
            if turn % 2:
                storm.terminate()
            thaw()
            storm.check()
    print(storm.counts)
    assert (storm.counts.kills, storm.counts.freezes, storm.counts.checks) == (100, 20, 20)
    assert storm.counts.terminated >= 30


@in_every_shape
def test_restarts_and_crashes_of_the_server(server: Server, database_url: str, shape: str) -> None:
    with Storm(database_url, shape=shape) as storm:
        for turn in range(15):
            storm.stop.wait(0.3)
            if turn % 3 == 2:
                server.crash()
                storm.counts.crashes += 1
            else:
                server.restart()
                storm.counts.restarts += 1
            wait_for_server(database_url)
            storm.check()
    print(storm.counts)
    assert (storm.counts.restarts, storm.counts.crashes, storm.counts.checks) == (10, 5, 15)


def test_the_storm_can_fail(database_url: str, docs: psycopg.Connection) -> None:
    """A change that is lost is seen: the check looks at every row."""
    with Storm(database_url, daemons=1) as storm:
        storm.check()
        with docs.transaction():
            docs.execute("SET LOCAL session_replication_role = replica")
            docs.execute("INSERT INTO docs VALUES (999999, 'unseen')")
        with pytest.raises(AssertionError, match="missing"):
            storm.check()
