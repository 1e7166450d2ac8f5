"""rowvec.search: its call shapes, that it is right whatever k and filter, and that the index is used."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import psycopg
import pytest

from rowvec.database.vectors import vector_text
from tests.fix_search import DIMS, ROWS, FakeEncoder, reads

Fill = Callable[[str], None]


@pytest.fixture
def documents(connection: psycopg.Connection, model_id: int, fill: Fill) -> None:
    """Watch a small table of six rows, with vectors and no index."""
    connection.execute("CREATE TABLE documents (id int PRIMARY KEY, body text, lang text)")
    connection.execute(
        "INSERT INTO documents VALUES (1, 'cats and dogs', 'en'), (2, 'cats', 'en'), (3, 'ships at sea', 'en'),"
        " (4, 'a ship', 'de'), (5, '', 'en'), (6, 'dogs', 'de')"
    )
    connection.execute("SELECT rowvec.watch('documents', 'body', name => 'docs')")
    fill("docs")


def nearest(vectors: np.ndarray, query: np.ndarray, k: int, mask: np.ndarray | None = None) -> list[int]:
    scores = vectors @ query / np.linalg.norm(vectors, axis=1)
    if mask is not None:
        scores[~mask] = -np.inf
    return [int(number) for number in np.argsort(-scores)[:k]]


@pytest.mark.usefixtures("documents", "query_server")
def test_the_call_shapes_resolve_side_by_side(connection: psycopg.Connection, encoder: FakeEncoder) -> None:
    vector = vector_text(encoder.vector("cats"))
    for statement in (
        "SELECT key FROM rowvec.search('docs', 'cats', k => 2)",
        "SELECT (hit).id::text FROM rowvec.search(NULL::documents, 'cats', k => 2)",
        f"SELECT key FROM rowvec.search('docs', '{vector}'::vector, k => 2)",
        f"SELECT (hit).id::text FROM rowvec.search(NULL::documents, '{vector}'::vector, k => 2)",
        "SELECT key FROM rowvec.search('docs', rowvec.embed('cats', source => 'docs'), k => 2)",
        "SELECT (hit).id::text FROM rowvec.search(NULL::documents, 'cats', source => 'docs', k => 2)",
    ):
        assert connection.execute(statement).fetchall() == [("2",), ("1",)], statement
    # parameters whose type the driver does not know
    assert connection.execute("SELECT key FROM rowvec.search(%s, %s, 1)", ("docs", "cats")).fetchall() == [("2",)]


@pytest.mark.usefixtures("documents", "query_server")
def test_distances_and_limits(connection: psycopg.Connection, encoder: FakeEncoder) -> None:
    found = connection.execute("SELECT key, distance FROM rowvec.search('docs', 'cats')").fetchall()
    assert len(found) == 5  # the row without text has no vector
    assert found[0][1] == pytest.approx(0, abs=1e-6)
    assert [row[1] for row in found] == sorted(row[1] for row in found)
    expected = 1 - float(encoder.vector("cats") @ encoder.vector("cats and dogs"))
    assert found[1] == ("1", pytest.approx(expected, abs=1e-6))
    near = connection.execute("SELECT key FROM rowvec.search('docs', 'cats', max_distance => 0.9)").fetchall()
    assert near == [(row[0],) for row in found if row[1] <= 0.9]
    for bad in ("0", "-1", "NULL"):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            connection.execute(f"SELECT * FROM rowvec.search('docs', 'cats', k => {bad})")


@pytest.mark.usefixtures("documents", "query_server")
def test_a_deleted_row_is_gone_at_once(connection: psycopg.Connection) -> None:
    connection.execute("DELETE FROM documents WHERE id = 2")
    assert connection.execute("SELECT key FROM rowvec.search('docs', 'cats', k => 1)").fetchall() == [("1",)]


@pytest.mark.usefixtures("documents", "query_server")
def test_filters(connection: psycopg.Connection) -> None:
    def keys(rule: str) -> list[str]:
        return [
            row[0] for row in connection.execute("SELECT key FROM rowvec.search('docs', 'dogs', filter => %s)", (rule,))
        ]

    assert keys("lang = 'de'") == ["6", "4"]
    assert keys("id > 3 -- a comment") == ["6", "4"]  # `id` is in the vector table, too
    assert keys("documents.lang = 'de' OR false") == ["6", "4"]
    assert keys("false") == []
    for bad in ("true); DROP TABLE documents; --", "lang = 'de'; SELECT 1", "nonsense =", "nowhere = 1"):
        with pytest.raises(psycopg.Error):
            keys(bad)
    assert connection.execute("SELECT count(*) FROM documents").fetchone() == (6,)


@pytest.mark.usefixtures("model_id")
def test_composite_keys_and_strange_names(connection: psycopg.Connection, encoder: FakeEncoder) -> None:
    connection.execute('CREATE SCHEMA "My Schema"')
    connection.execute(
        'CREATE TABLE "My Schema"."Order" ("Key A" text, b date, "select" text, chunks int, PRIMARY KEY ("Key A", b))'
    )
    connection.execute("""INSERT INTO "My Schema"."Order" VALUES ('o''x,"', '2024-02-01', 'cats', 1)""")
    connection.execute("""SELECT rowvec.watch('"My Schema"."Order"', 'select')""")
    connection.execute(
        'INSERT INTO rowvec."Order_vectors" ("Key A", b, embedding) SELECT "Key A", b, %s FROM "My Schema"."Order"',
        (vector_text(encoder.vector("cats")),),
    )
    query = vector_text(encoder.vector("cats"))
    for statement in (
        "SELECT key FROM rowvec.search('Order', %s::vector, filter => '\"Key A\" <> ''''')",
        """SELECT ROW((hit)."Key A", (hit).b)::text FROM rowvec.search(NULL::"My Schema"."Order", %s::vector)""",
    ):
        assert connection.execute(statement, (query,)).fetchall() == [('("o\'x,""",2024-02-01)',)]


@pytest.mark.parametrize("k", [1, 10, 41, 200])
def test_k_rows_come_and_they_are_the_right_ones(connection: psycopg.Connection, points: np.ndarray, k: int) -> None:
    query = np.random.default_rng(k).standard_normal(DIMS).astype(np.float32)
    rows = connection.execute("SELECT key FROM rowvec.search('points', %s::vector, k => %s)", (vector_text(query), k))
    found = [int(row[0]) for row in rows]
    assert len(found) == len(set(found)) == k
    right = nearest(points, query, k)
    assert found[0] == right[0]
    assert len(set(found) & set(right)) >= 0.95 * k
    rows = connection.execute(
        "SELECT key FROM rowvec.search('points', %s::vector, k => %s, exact => true)", (vector_text(query), k)
    )
    assert [int(row[0]) for row in rows] == right


@pytest.mark.parametrize("parts", [500, 50, 5, 1])
def test_a_filter_costs_no_rows(connection: psycopg.Connection, points: np.ndarray, parts: int) -> None:
    query = np.random.default_rng(parts).standard_normal(DIMS).astype(np.float32)
    mask = np.arange(ROWS) % 1000 < parts
    rows = connection.execute(
        "SELECT key FROM rowvec.search('points', %s::vector, filter => %s)", (vector_text(query), f"part < {parts}")
    )
    found = [int(row[0]) for row in rows]
    right = nearest(points, query, min(10, int(mask.sum())), mask)
    assert len(found) == len(right)
    assert len(set(found) & set(right)) >= 0.8 * len(right)


@pytest.mark.usefixtures("points")
def test_a_filter_that_the_planner_misjudges_costs_no_rows(connection: psycopg.Connection) -> None:
    """The planner expects half of the rows from this one; two come, though the index is asked first."""
    connection.execute("CREATE FUNCTION two(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 IN (17, 2000)'")
    rows = connection.execute(
        "SELECT key FROM rowvec.search('points', (SELECT embedding FROM rowvec.points_vectors WHERE id = 5),"
        " filter => 'two(id) IS NOT FALSE AND two(id) IS TRUE', k => 2)"
    )
    assert {row[0] for row in rows} == {"17", "2000"}


@pytest.mark.usefixtures("points")
def test_rows_whose_vectors_remain_cost_no_rows(connection: psycopg.Connection) -> None:
    connection.execute("DELETE FROM points WHERE id % 10 > 0")
    rows = connection.execute("SELECT key FROM rowvec.search('points', array_fill(1, ARRAY[16])::vector, k => 250)")
    assert len(rows.fetchall()) == 250


def plan(connection: psycopg.Connection, statement: str) -> str:
    return "\n".join(row[0] for row in connection.execute(f"EXPLAIN {statement}"))


@pytest.mark.usefixtures("points", "query_server")
def test_the_index_is_used(connection: psycopg.Connection) -> None:
    for k in (10, 100):  # beyond, exact is quicker: these are 3,000 rows
        search = f"SELECT * FROM rowvec.search({{}}, array_fill(0.5, ARRAY[16])::vector, k => {k})"
        for source in ("'points'", "NULL::points"):
            assert reads(connection, "rowvec.points_vectors_embedding_idx", search.format(source))
    own = "SELECT id FROM rowvec.points_vectors v ORDER BY v.embedding <=> {} LIMIT 10"
    for embed in ("rowvec.embed('cats')", "(SELECT rowvec.embed('cats'))"):
        chosen = plan(connection, own.format(embed))
        assert "points_vectors_embedding_idx" in chosen, chosen
        assert len(connection.execute(own.format(embed)).fetchall()) == 10


@pytest.mark.usefixtures("points")
def test_settings_are_as_before(connection: psycopg.Connection) -> None:
    read = "SELECT current_setting('hnsw.ef_search'), current_setting('hnsw.iterative_scan'), current_setting('jit')"
    search = "SELECT count(*) FROM rowvec.search('points', array_fill(1, ARRAY[16])::vector, k => 300)"
    connection.execute("SELECT '[1]'::vector")
    with connection.transaction():
        connection.execute("SET LOCAL hnsw.ef_search = 77")
        connection.execute("SET LOCAL jit = on")
        assert connection.execute(search).fetchone() == (300,)
        assert connection.execute(read).fetchone() == ("77", "off", "on")
    assert connection.execute(search).fetchone() == (300,)
    row = connection.execute(read).fetchone()
    assert row is not None
    assert row[:2] == ("40", "off")


@pytest.mark.usefixtures("documents")
def test_the_way_to_an_error_is_short(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE other (id int PRIMARY KEY, body text)")
    connection.execute("SELECT rowvec.watch('documents', 'lang', name => 'langs')")
    for statement, word in {
        "SELECT * FROM rowvec.search('nothing', 'cats')": "no source",
        "SELECT * FROM rowvec.search(NULL::other, 'cats')": "no source watches",
        "SELECT * FROM rowvec.search(NULL::documents, 'cats')": "more than one source",
        "SELECT * FROM rowvec.search(NULL::other, 'cats', source => 'docs')": "not public.other",
        "SELECT * FROM rowvec.search('docs', '[1,2]'::vector)": "dimensions",
    }.items():
        with pytest.raises(psycopg.Error, match=word):
            connection.execute(statement)


@pytest.mark.usefixtures("model_id")
@pytest.mark.parametrize(("similarity", "operator"), [("dot", "<#>"), ("euclidean", "<->")])
def test_the_models_own_similarity(connection: psycopg.Connection, similarity: str, operator: str) -> None:
    connection.execute("UPDATE rowvec_internal.model SET similarity = %s", (similarity,))
    connection.execute("CREATE TABLE t AS SELECT i AS id, 'x' AS body FROM generate_series(1, 50) i")
    connection.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    connection.execute("SELECT rowvec.watch('t', 'body')")
    connection.execute(
        "INSERT INTO rowvec.t_vectors (id, embedding)"
        " SELECT i, (SELECT array_agg(sin(i * j) * i) FROM generate_series(1, 16) j)::vector"
        " FROM generate_series(1, 50) i"
    )
    query = "array_fill(0.3, ARRAY[16])::vector"
    own = f"SELECT id::text, embedding {operator} {query} FROM rowvec.t_vectors ORDER BY 2 LIMIT 5"
    assert connection.execute(f"SELECT key, distance FROM rowvec.search('t', {query}, k => 5)").fetchall() == (
        connection.execute(own).fetchall()
    )


def test_the_extension_in_a_schema_of_its_own(empty_database_url: str) -> None:
    import rowvec_migrations

    with psycopg.connect(empty_database_url, autocommit=True) as own:
        own.execute("CREATE SCHEMA ext")
        own.execute("CREATE EXTENSION vector SCHEMA ext")
        rowvec_migrations.upgrade(empty_database_url)
        own.execute(
            "INSERT INTO rowvec_internal.model (name, fingerprint, dims, max_tokens, manifest, is_default)"
            " VALUES ('m', 'f', 2, 9, '{}', true)"
        )
        own.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
        own.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        own.execute("SELECT rowvec.watch('t', 'body')")
        own.execute("INSERT INTO rowvec.t_vectors (id, embedding) VALUES (1, '[1,0]'), (2, '[0,1]')")
        own.execute("CREATE INDEX ON rowvec.t_vectors USING hnsw (embedding ext.vector_cosine_ops)")
        found = own.execute("SELECT key FROM rowvec.search('t', '[0,2]'::ext.vector)").fetchall()
    assert found == [("2",), ("1",)]


@pytest.mark.usefixtures("points")
def test_the_first_statement_of_a_session_has_its_settings(database_url: str) -> None:
    """A vector from the cache loads no library; without it, iterative scan would not be set."""
    with psycopg.connect(database_url) as fresh:
        fresh.execute("SELECT rowvec_internal.begin_search('points', NULL, 10, 'part < 900', false)")
        assert fresh.execute("SELECT current_setting('hnsw.iterative_scan', true)").fetchone() == ("relaxed_order",)
