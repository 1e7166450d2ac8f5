"""rowvec index: the kind that fits, built while writes go on, used by search, rebuilt; its warnings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import psycopg
import pytest

from rowvec.database.vectors import vector_text
from rowvec.errors import SettingsError, SourceError
from rowvec.search import index_build
from rowvec.search.index_build import build, build_text
from rowvec.search.index_kinds import Kind
from rowvec.search.index_plan import plan
from tests.fix_search import DIMS, reads
from tests.search.test_search import nearest

ROWS = 2000


@pytest.fixture
def points(connection: psycopg.Connection, model_id: int) -> np.ndarray:
    """Watch a table of 2,000 rows with random vectors and no index; give the vectors."""
    connection.execute("CREATE TABLE points AS SELECT i AS id, 'word ' || i AS body FROM generate_series(0, 1999) i")
    connection.execute("ALTER TABLE points ADD PRIMARY KEY (id)")
    connection.execute("SELECT rowvec.watch('points', 'body', backfill => false)")
    vectors = np.random.default_rng(7).standard_normal((ROWS, DIMS)).astype(np.float32)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO rowvec.points_vectors (id, embedding) VALUES (%s, %s)",
            [(number, vector_text(vector)) for number, vector in enumerate(vectors)],
        )
    connection.execute("ANALYZE points, rowvec.points_vectors")
    return vectors


def hnsw(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%USING hnsw%'").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("kind", ["vector", "halfvec", "bit"])
def test_each_kind_is_built_and_used(
    connection: psycopg.Connection, database_url: str, points: np.ndarray, kind: Kind
) -> None:
    chosen = plan(connection, "points", kind=kind)
    assert build(database_url, chosen) == "points_vectors_hnsw1"
    assert len(hnsw(connection)) == 1
    query = points[3] + np.float32(0.05)
    search = "SELECT key, distance FROM rowvec.search('points', %s::vector)"
    connection.execute("SET enable_seqscan = off")  # so few bits and rows are read as quickly one by one
    assert reads(connection, "rowvec.points_vectors_hnsw1", search, vector_text(query))
    assert reads(connection, "rowvec.points_vectors_hnsw1", search, vector_text(query))  # by the plan that is kept
    found = connection.execute(search, (vector_text(query),)).fetchall()
    right = nearest(points, query, 10)
    assert found[0][0] == "3"
    assert len(found) == 10
    assert len({int(key) for key, _ in found} & set(right)) >= (2 if kind == "bit" else 9)  # 16 bits tell little
    expected = 1 - float(points[3] @ query / np.linalg.norm(points[3]) / np.linalg.norm(query))
    assert found[0][1] == pytest.approx(expected, abs=1e-5)  # the true distance, whatever the index holds


@pytest.mark.usefixtures("points")
def test_a_new_index_takes_the_place_of_the_old_one(connection: psycopg.Connection, database_url: str) -> None:
    build(database_url, plan(connection, "points"))
    again = plan(connection, "points", kind="halfvec", m=8, ef_construction=32)
    assert again.facts.present == ["rowvec.points_vectors_hnsw1"]
    assert build(database_url, again, memory="64MB") == "points_vectors_hnsw2"
    [definition] = hnsw(connection)
    assert "halfvec" in definition
    assert "m='8'" in definition


@pytest.mark.usefixtures("points")
def test_what_an_interrupted_build_left_is_removed(connection: psycopg.Connection, database_url: str) -> None:
    connection.execute("CREATE INDEX broken ON rowvec.points_vectors USING hnsw (embedding vector_cosine_ops)")
    connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'rowvec.broken'::regclass")
    chosen = plan(connection, "points")
    assert chosen.facts.broken == ["rowvec.broken"]
    build(database_url, chosen)
    assert len(hnsw(connection)) == 1


@pytest.mark.usefixtures("points")
def test_progress_and_cancel(
    connection: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_build, "POLL_SECONDS", 0.01)
    seen: list[tuple[str, float]] = []
    connection.execute("BEGIN; LOCK rowvec.points_vectors IN ROW EXCLUSIVE MODE")  # the build waits for us

    def stop(phase: str, share: float) -> None:
        seen.append((phase, share))
        raise KeyboardInterrupt

    with psycopg.connect(database_url, autocommit=True) as other:
        chosen = plan(other, "points")
    with pytest.raises(KeyboardInterrupt):
        build(database_url, chosen, on_progress=stop)
    connection.execute("ROLLBACK")
    assert len(seen) == 1
    assert 0 <= seen[0][1] <= 1


@pytest.mark.usefixtures("points")
def test_full_text(connection: psycopg.Connection, database_url: str) -> None:
    name = build_text(database_url, "points")
    connection.execute("ANALYZE points")
    row = connection.execute(
        "SELECT rowvec_internal.text_document('points', text_columns, 'english') FROM rowvec_internal.source"
    ).fetchone()
    assert row is not None
    explained = connection.execute(f"EXPLAIN SELECT FROM points WHERE {row[0]} @@ 'word & 17'::tsquery").fetchall()
    assert any(name in line[0] for line in explained), explained


@pytest.mark.usefixtures("points")
def test_what_cannot_be_is_said(connection: psycopg.Connection, database_url: str) -> None:
    with pytest.raises(SourceError, match="no source"):
        plan(connection, "nothing")
    with pytest.raises(SettingsError, match="twice m"):
        plan(connection, "points", m=16, ef_construction=20)
    connection.execute("UPDATE rowvec_internal.model SET dims = 3000")
    assert plan(connection, "points").kind == "halfvec"
    with pytest.raises(SourceError, match="2000 dims at most"):
        plan(connection, "points", kind="vector")
    connection.execute("UPDATE rowvec_internal.model SET dims = 5000")
    assert plan(connection, "points").kind == "bit"
    connection.execute("UPDATE rowvec_internal.backfill SET phase = 'rows'")
    with pytest.raises(SourceError, match="not done"):
        build(database_url, plan(connection, "points"))


@pytest.mark.usefixtures("points")
def test_the_warnings(connection: psycopg.Connection) -> None:
    chosen = plan(connection, "points")
    old = replace(chosen, facts=replace(chosen.facts, version="0.8.2"))
    assert "0.8.4" in next(old.warnings)
    large = replace(chosen, facts=replace(chosen.facts, version="0.10.0", memory=1 << 20, rows=20_000))
    [warning] = large.warnings
    assert "--memory 10MB" in warning
