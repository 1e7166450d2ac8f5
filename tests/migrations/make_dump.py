"""Make baseline.sql: a database of the baseline with sources of every shape, data, vectors and changes that wait.

Run `python -m tests.migrations.make_dump` from the repository's root, once a revision is released that later versions
must be able to migrate. The dump is plain SQL that psql restores on PostgreSQL 15 to 18, for any superuser.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import psycopg

import rowvec_migrations
from rowvec.database import server_programs
from tests.checking import assert_in_step
from tests.running import add_fake_model, daemon
from tests.servers import Embedded, with_database

DUMP = Path(__file__).parent / "baseline.sql"
SHAPES = {
    "plain": ("id int PRIMARY KEY, title text, body text", "ARRAY['title', 'body']"),
    "chunky": ("id int PRIMARY KEY, body text", "'body', chunk_tokens => 10, chunk_overlap => 2, store_text => true"),
    "in_row": ("id int PRIMARY KEY, body text", "'body', into_column => 'embedding'"),
    "composite": ("site text, id int, body text, PRIMARY KEY (site, id)", "'body', template => 'About {body}.'"),
    "parts": ("id int, at date, body text, PRIMARY KEY (id, at)", "'body'"),
}
ROWS = {
    "plain": "SELECT i, 'Title ' || i, 'body ' || i FROM generate_series(1, 5) i",
    "chunky": "SELECT i, repeat('word' || i || ' ', 7 * i) FROM generate_series(1, 4) i",
    "in_row": "SELECT i, 'in the row ' || i FROM generate_series(1, 5) i",
    "composite": "SELECT s, i, s || i FROM unnest(ARRAY['a', 'b,\"c']) s, generate_series(1, 3) i",
    "parts": "SELECT i, date '2026-01-01' + i, 'part ' || i FROM generate_series(1, 5) i",
}


def fill(connection: psycopg.Connection, url: str) -> None:
    """Watch a table of each shape and have a daemon embed its rows; then leave changes in the log."""
    add_fake_model(connection)
    for name, (columns, recipe) in SHAPES.items():
        partitioned = " PARTITION BY RANGE (at)" if name == "parts" else ""
        connection.execute(f"CREATE TABLE {name} ({columns}){partitioned}".encode())
        if partitioned:
            connection.execute("CREATE TABLE parts_rest PARTITION OF parts DEFAULT")
        connection.execute(f"SELECT rowvec.watch('{name}', {recipe})".encode())
    connection.execute("SELECT rowvec.watch('plain', 'title', name => 'paused')")
    names = list(SHAPES)
    for name in names:
        fixed = "(id, body)" if name == "in_row" else ""
        connection.execute(f"INSERT INTO {name} {fixed} {ROWS[name]}".encode())
    with daemon(url, lease_seconds=5.0, poll_seconds=0.1):
        for name in names:
            assert_in_step(connection, name)
    connection.execute("SELECT rowvec.pause('paused')")
    connection.execute("CREATE INDEX ON rowvec.plain_vectors USING hnsw (embedding vector_cosine_ops)")
    connection.execute("SELECT rowvec_internal.prepare_search(id) FROM rowvec_internal.source")
    for name in names:  # what no daemon has seen yet
        connection.execute(f"UPDATE {name} SET body = 'changed before the dump' WHERE id = 2".encode())
        connection.execute(f"DELETE FROM {name} WHERE id = 3".encode())


def main() -> None:
    """Write the dump."""
    server = Embedded()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE dumped")
        url = with_database(server.url, "dumped")
        rowvec_migrations.upgrade(url)
        with psycopg.connect(url, autocommit=True) as connection:
            fill(connection, url)
        command = [str(server_programs.binaries() / "pg_dump"), "--no-owner", url]
        text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    finally:
        server.close()
    # What older servers or psql do not know, and what names a version or the superuser of the server that was dumped.
    text = re.sub(r"(?m)^\\(un)?restrict .*\n|^SET transaction_timeout.*\n|^-- Dumped .*\n", "", text)
    text = re.sub(r" TO postgres\b", " TO CURRENT_USER", text)
    text = re.sub(r"(?m)^--\n-- Name: .*\n--\n\n", "", text)
    DUMP.write_text(re.sub(r"\n{3,}", "\n\n", text))


if __name__ == "__main__":
    main()
