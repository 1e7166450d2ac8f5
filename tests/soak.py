"""The storm of tests/faults for as long as one likes, on an embedded server of its own: `make soak` (MINUTES=60).

Every fault in turn, at random: a daemon killed, frozen for longer than its lease, every connection of ours terminated,
the server restarted or crashed. Every few seconds the users pause, and every row is compared with its vector. Prints a
line a minute and the sums at the end; the first difference ends it with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import time

import psycopg

import rowvec_migrations
from tests.running import add_fake_model
from tests.servers import Embedded, wait_for_server
from tests.storm import LEASE_SECONDS, Storm

FAULTS = ["kill"] * 10 + ["freeze"] * 3 + ["terminate"] * 2 + ["restart", "crash"]
FAULTS_PER_CHECK = 8


def soak(server: Embedded, minutes: float, seed: int) -> Storm:
    """Run the storm and return it, for its counts; raise AssertionError at the first difference."""
    rowvec_migrations.upgrade(server.url)
    with psycopg.connect(server.url, autocommit=True) as connection:
        add_fake_model(connection)
        connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text, views int DEFAULT 0)")
        connection.execute("SELECT rowvec.watch('docs', 'body')")
    started, said = time.monotonic(), 0
    with Storm(server.url, seed=seed) as storm:
        while (minute := (time.monotonic() - started) / 60) < minutes:
            for fault in storm.choose.choices(FAULTS, k=FAULTS_PER_CHECK):
                storm.stop.wait(storm.choose.uniform(0.05, 0.5))
                _do(storm, server, fault)
            storm.check()
            if minute >= said + 1:
                said = int(minute)
                print(f"minute={said} {storm.counts}", flush=True)
    return storm


def _do(storm: Storm, server: Embedded, fault: str) -> None:
    match fault:
        case "kill":
            storm.kill()
        case "freeze":
            thaw = storm.freeze()
            storm.stop.wait(storm.choose.uniform(0.5, 2.0) * LEASE_SECONDS)
            thaw()
        case "terminate":
            storm.terminate()
        case "restart":
            server.restart()
            storm.counts.restarts += 1
        case "crash":
            server.crash()
            storm.counts.crashes += 1
    if fault in ("restart", "crash"):
        wait_for_server(server.url)


def main() -> int:
    """Read the arguments, run, print; return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=60.0)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    given = arguments.parse_args()
    print(f"seed={given.seed}", flush=True)
    server = Embedded()
    try:
        storm = soak(server, given.minutes, given.seed)
    except AssertionError as error:
        print(f"differs: {error}")
        return 1
    finally:
        server.close()
    print(f"done {storm.counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
