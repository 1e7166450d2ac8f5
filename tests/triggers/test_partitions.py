"""Partitioned tables: direct writes to a partition, movement between them, ATTACH, DETACH, TRUNCATE of one."""

from __future__ import annotations

import psycopg
import pytest

from tests.checking import assert_in_step, differences, wait


@pytest.fixture
def parted(user: psycopg.Connection) -> psycopg.Connection:
    user.execute(
        "CREATE TABLE parted (id int, region text, body text, PRIMARY KEY (id, region)) PARTITION BY LIST (region)"
    )
    user.execute("CREATE TABLE north PARTITION OF parted FOR VALUES IN ('n')")
    user.execute("CREATE TABLE south PARTITION OF parted FOR VALUES IN ('s') PARTITION BY RANGE (id)")
    user.execute("CREATE TABLE south_low PARTITION OF south FOR VALUES FROM (0) TO (100)")
    user.execute("SELECT rowvec.watch('parted', 'body')")
    user.execute("INSERT INTO parted SELECT g, substr('ns', g % 2 + 1, 1), 'text ' || g FROM generate_series(1, 20) g")
    assert_in_step(user, "parted", 20)
    return user


def test_direct_writes_to_a_partition(parted: psycopg.Connection) -> None:
    parted.execute("INSERT INTO north VALUES (30, 'n', 'direct')")
    parted.execute("INSERT INTO south_low VALUES (31, 's', 'direct')")
    parted.execute("UPDATE north SET body = 'changed' WHERE id = 2")
    parted.execute("DELETE FROM south WHERE id = 3")
    with parted.cursor().copy("COPY south_low FROM STDIN") as copy:
        copy.write_row((33, "s", "copied"))
    assert_in_step(parted, "parted", 22)


def test_rows_that_move_between_partitions(parted: psycopg.Connection) -> None:
    parted.execute("UPDATE parted SET region = 's' WHERE id IN (2, 4)")
    parted.execute("UPDATE parted SET region = 'n', body = 'moved' WHERE id = 5")
    assert_in_step(parted, "parted", 20)


def test_a_partition_that_is_made_later(parted: psycopg.Connection) -> None:
    parted.execute("CREATE TABLE south_high PARTITION OF south FOR VALUES FROM (100) TO (200)")
    parted.execute("INSERT INTO south_high VALUES (150, 's', 'late')")
    assert_in_step(parted, "parted", 21)


def eventually_in_step(connection: psycopg.Connection, rows: int) -> None:
    """What no trigger sees is found by the daemon's look at the catalogue, at the pace of its heartbeat."""
    row = connection.execute("SELECT rowvec_internal.resolve(id) FROM rowvec_internal.source").fetchone()
    assert row == (None,)
    assert_in_step(connection, "parted", rows)


def test_attach_and_detach_are_noticed(parted: psycopg.Connection) -> None:
    parted.execute("CREATE TABLE west (id int, region text, body text, PRIMARY KEY (id, region))")
    parted.execute("INSERT INTO west SELECT g, 'w', 'west ' || g FROM generate_series(1, 5) g")
    parted.execute("ALTER TABLE parted ATTACH PARTITION west FOR VALUES IN ('w')")
    eventually_in_step(parted, 25)
    parted.execute("UPDATE west SET body = 'its triggers are there' WHERE id = 1")
    assert_in_step(parted, "parted", 25)
    parted.execute("ALTER TABLE parted DETACH PARTITION north")
    eventually_in_step(parted, 15)
    parted.execute("INSERT INTO north VALUES (90, 'n', 'no longer ours')")
    wait(parted, "parted")
    assert differences(parted, "parted") == []


def test_truncate_of_one_partition_is_noticed(parted: psycopg.Connection) -> None:
    parted.execute("TRUNCATE north")
    eventually_in_step(parted, 10)


def test_truncate_of_the_whole(parted: psycopg.Connection) -> None:
    parted.execute("TRUNCATE parted")
    assert_in_step(parted, "parted", 0)
