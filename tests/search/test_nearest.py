"""The functions that hold a source's plain search: used while they say what search would, and never after."""

from __future__ import annotations

import psycopg
import pytest

SEARCHES = (
    "SELECT key::int FROM rowvec.search('points', array_fill(1, ARRAY[16])::vector)",
    "SELECT (hit).* FROM rowvec.search(NULL::points, array_fill(1, ARRAY[16])::vector)",
)


@pytest.fixture
def searched(connection: psycopg.Connection, points: object) -> list[list[int]]:
    """Search twice in each way, so that this session has kept plans; give the keys found."""
    connection.execute("SELECT '[1]'::vector")  # pgvector's settings, which is_used() needs, come with its first use
    connection.execute("SELECT rowvec_internal.keep_in_step()")  # as the daemon does, every half minute
    assert is_used(connection)
    found = [keys(connection, search) for search in SEARCHES * 2]
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == 10
    return found[:2]


def keys(connection: psycopg.Connection, search: str) -> list[int]:
    return [row[0] for row in connection.execute(search.encode())]


def is_used(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT nearest FROM rowvec_internal.begin_search('points', NULL, 10, NULL, false)"
    ).fetchone()
    assert row is not None
    return "source_1_nearest" in row[0]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE points RENAME TO dots; CREATE TABLE points (id int PRIMARY KEY, body text, part int)",
        "ALTER TABLE points RENAME id TO number",
        "CREATE SCHEMA away; ALTER TABLE points SET SCHEMA away",
        "ALTER TABLE rowvec.points_vectors RENAME TO dots_vectors",
    ],
)
def test_a_rename_counts_at_once_and_is_followed(
    connection: psycopg.Connection, searched: list[list[int]], change: str
) -> None:
    row = connection.execute("SELECT 'points'::regclass::oid").fetchone()
    assert row is not None
    connection.execute(change.encode())
    now = connection.execute("SELECT %s::regclass::text", row).fetchone()
    assert now is not None
    follow = "SELECT rowvec_internal.resolve(id), rowvec_internal.keep_in_step() FROM rowvec_internal.source"
    for step in ("SELECT", follow):  # as the daemon does, now and then
        connection.execute(step.encode())
        if step == follow:
            assert is_used(connection)
        elif "RENAME id" not in change:  # a renamed key is found by the daemon only
            assert not is_used(connection)
        else:
            continue
        assert keys(connection, SEARCHES[0]) == searched[0]
        assert keys(connection, SEARCHES[1].replace("NULL::points", f"NULL::{now[0]}")) == searched[1]


def test_a_new_column_of_the_table_is_in_the_rows(connection: psycopg.Connection, searched: list[list[int]]) -> None:
    connection.execute("ALTER TABLE points ADD extra text DEFAULT 'x'")
    row = connection.execute(SEARCHES[1].replace("(hit).*", "(hit).id, (hit).extra").encode()).fetchone()
    assert row == (searched[1][0], "x")
    connection.execute("ALTER TABLE points DROP extra, DROP part")
    assert keys(connection, SEARCHES[1]) == searched[1]


def test_without_its_index_it_is_an_exact_search(connection: psycopg.Connection, searched: list[list[int]]) -> None:
    connection.execute("DROP INDEX rowvec.points_vectors_embedding_idx")
    exact = keys(connection, SEARCHES[0].replace("::vector)", "::vector, exact => true)"))
    for search in SEARCHES:
        assert keys(connection, search) == exact


def test_it_ends_with_its_source(connection: psycopg.Connection, searched: list[list[int]]) -> None:
    assert searched
    connection.execute("DROP TABLE points CASCADE")  # nothing of ours is in the way, or gone
    with pytest.raises(psycopg.errors.UndefinedTable, match="is gone"):
        connection.execute(SEARCHES[0].encode())
    connection.execute("SELECT rowvec.unwatch('points')")
    assert connection.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'source_1_%'").fetchone() == (0,)
