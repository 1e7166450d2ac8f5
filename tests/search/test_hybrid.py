"""rowvec.similar and rowvec.hybrid_search: more like this row; vector and full text together."""

from __future__ import annotations

import psycopg
import pytest

from tests.fix_search import FakeEncoder
from tests.search.test_rights import grant, reader
from tests.search.test_search import documents

__all__ = ["documents", "reader"]


def keys(connection: psycopg.Connection, statement: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(statement)]


@pytest.mark.usefixtures("documents")
def test_more_like_this_row(connection: psycopg.Connection, encoder: FakeEncoder) -> None:
    own = encoder.vector("cats and dogs")
    others = {"2": "cats", "3": "ships at sea", "4": "a ship", "6": "dogs"}
    order = sorted(others, key=lambda key: -float(own @ encoder.vector(others[key])))
    assert keys(connection, "SELECT key FROM rowvec.similar('docs', '1')") == order
    typed = "SELECT (hit).id FROM rowvec.similar(NULL::documents, '1', k => 1, filter => 'id in (3, 6)')"
    assert keys(connection, typed) == [key for key in order if key in ("3", "6")][:1]
    assert len(keys(connection, "SELECT key FROM rowvec.similar('docs', '1', k => 4)")) == 4
    for nothing in ("5", "99"):  # without text; not there
        assert keys(connection, f"SELECT key FROM rowvec.similar('docs', '{nothing}')") == []
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        connection.execute("SELECT * FROM rowvec.similar('docs', '1 OR true')")


@pytest.mark.usefixtures("model_id")
def test_more_like_a_row_with_two_keys(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE t (a text, b int, body text, PRIMARY KEY (a, b))")
    connection.execute("INSERT INTO t VALUES ('x,''y', 1, 'p'), ('x', 2, 'q'), ('z', 1, 'r')")
    connection.execute("SELECT rowvec.watch('t', 'body')")
    connection.execute(
        "INSERT INTO rowvec.t_vectors (a, b, embedding) SELECT a, b, array_fill(ascii(body), ARRAY[16])::vector FROM t"
    )
    found = "SELECT key FROM rowvec.similar('t', ROW('x,''y', 1)::text)"
    assert sorted(keys(connection, found)) == ["(x,2)", "(z,1)"]


@pytest.mark.usefixtures("documents", "query_server")
def test_both_lists_count(connection: psycopg.Connection) -> None:
    connection.execute("SET default_text_search_config = 'pg_catalog.english'")
    rows = connection.execute("SELECT * FROM rowvec.hybrid_search('docs', 'cat', k => 10)").fetchall()
    # 'cat' is no word of the fake encoder's texts, but full text finds 'cats' by its stem
    assert {row[0] for row in rows[:2]} == {"1", "2"}
    assert all(row[4] is not None for row in rows[:2])
    assert len(rows) == 5
    for _key, score, distance, vector_rank, text_rank, *_passage in rows:
        parts = [1 / (60 + rank) for rank in (vector_rank, text_rank) if rank is not None]
        assert score == pytest.approx(sum(parts))
        assert (distance is None) == (vector_rank is None)
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)


@pytest.mark.usefixtures("documents", "query_server")
def test_its_settings(connection: psycopg.Connection) -> None:
    query = "SELECT key FROM rowvec.hybrid_search('docs', 'ships dogs', k => 2, language => 'english'"
    assert set(keys(connection, f"{query}, filter => 'lang = ''de''')")) == {"4", "6"}
    assert len(keys(connection, f"{query}, max_distance => -1)")) == 2  # by full text only
    assert keys(connection, f"{query}, vector_weight => 0, text_weight => 0)") != []
    typed = (
        "SELECT (hit).id, score FROM rowvec.hybrid_search(NULL::documents, 'ships dogs', k => 3, language => 'english')"
    )
    plain = "SELECT key::int, score FROM rowvec.hybrid_search('docs', 'ships dogs', k => 3, language => 'english')"
    assert connection.execute(typed).fetchall() == connection.execute(plain).fetchall()
    own = "SELECT key FROM rowvec.hybrid_search('docs', 'ships', k => 1, language => 'simple', document => {})"
    assert keys(connection, own.format("'to_tsvector(''simple'', body)'")) == ["3"]


@pytest.mark.usefixtures("documents", "query_server")
def test_with_the_rights_of_the_table(connection: psycopg.Connection, reader: psycopg.Connection) -> None:
    grant(connection, reader, "documents")
    connection.execute("ALTER TABLE documents ENABLE ROW LEVEL SECURITY")
    connection.execute("CREATE POLICY german ON documents USING (lang = 'de')")
    hybrid = "SELECT key FROM rowvec.hybrid_search('docs', 'cats dogs ships', language => 'english')"
    assert set(keys(reader, hybrid)) == {"4", "6"}
    assert keys(reader, "SELECT key FROM rowvec.similar('docs', '6')") == ["4"]
    assert keys(reader, "SELECT key FROM rowvec.similar('docs', '1')") == []
