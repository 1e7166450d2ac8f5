"""A file system that is really full, under one source's vectors: no text is to blame, and no other source waits."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.checking import assert_in_step, differences, until
from tests.running import daemon
from tests.servers import SMALL_DISK, Server

pytestmark = pytest.mark.container


@pytest.fixture
def small(docs: psycopg.Connection, server: Server) -> Iterator[psycopg.Connection]:
    """Give a connection to a database where the vectors of `docs` are in a tablespace on the small disk."""
    if server.kind != "container":
        pytest.skip("needs a container's small disk: --server container")
    name = docs.info.dbname
    docs.execute(f"COPY (SELECT) TO PROGRAM 'mkdir -m 700 {SMALL_DISK}/{name}'".encode())
    docs.execute(f"CREATE TABLESPACE {name} LOCATION '{SMALL_DISK}/{name}'".encode())
    docs.execute(f"CREATE TABLE filler (block text) TABLESPACE {name}".encode())
    docs.execute("ALTER TABLE filler ALTER COLUMN block SET STORAGE PLAIN")
    docs.execute(f"ALTER TABLE rowvec.docs_vectors SET TABLESPACE {name}".encode())
    yield docs
    docs.execute("DROP TABLE IF EXISTS filler")
    docs.execute("SELECT rowvec.unwatch('docs', drop_vectors => true)")
    docs.execute(f"DROP TABLESPACE {name}".encode())


def fill(connection: psycopg.Connection) -> None:
    """Write until there is no room for one more page: what an aborted statement took stays taken."""
    for rows in (
        10_000,
        *[1] * 10_000,
    ):  # a large statement takes many pages at once, and leaves what is less than that
        try:
            connection.execute("INSERT INTO filler SELECT repeat('x', 8000) FROM generate_series(1, %s)", (rows,))
        except psycopg.errors.DiskFull:
            if rows == 1:
                return
    raise AssertionError("the disk never filled up")


def test_a_disk_that_is_really_full(small: psycopg.Connection, database_url: str) -> None:
    small.execute("CREATE TABLE other (id int PRIMARY KEY, body text)")
    small.execute("SELECT rowvec.watch('other', 'body')")
    with daemon(database_url, max_attempts=1, poll_seconds=0.1):
        small.execute("INSERT INTO docs SELECT g, 'text ' || g FROM generate_series(1, 20) g")
        assert_in_step(small, "docs", 20)
        fill(small)
        small.execute("INSERT INTO docs SELECT g, 'text ' || g FROM generate_series(21, 2000) g")
        until(small, "SELECT problem LIKE '%No space left%' FROM rowvec.status WHERE name = 'docs'", True)
        small.execute("INSERT INTO other SELECT g, 'text ' || g FROM generate_series(1, 20) g")
        assert_in_step(small, "other", 20)
        charged = "SELECT count(*) FROM rowvec_internal.change WHERE daemon_id IS NULL AND attempts > 0"
        assert small.execute(charged).fetchone() == (0,)
        assert small.execute("SELECT count(*) FROM rowvec_internal.dead").fetchone() == (0,)
        assert len(differences(small, "docs")) > 0
        assert small.execute("SELECT problem FROM rowvec.status WHERE name = 'other'").fetchone() == (None,)
        small.execute("DROP TABLE filler")
        assert_in_step(small, "docs", 2000)
        assert small.execute("SELECT problem FROM rowvec.status WHERE name = 'docs'").fetchone() == (None,)
    assert small.execute("SELECT count(*) FROM rowvec_internal.dead").fetchone() == (0,)
