"""rowvec.preview: a row's text as it will be embedded, asked of a daemon; with the caller's rights, by both ways."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from rowvec.database import sources
from rowvec.search.preview import preview
from rowvec.search.query_server import QueryServer
from tests.fakes import WordMeasure
from tests.fix_search import FakeEncoder

QUERY = "SELECT chunk, tokens, chunk_start, chunk_end, text FROM rowvec.preview(%s, %s)"


@pytest.fixture
def pages(
    connection: psycopg.Connection, database_url: str, encoder: FakeEncoder, model_id: int, way: None
) -> Iterator[psycopg.Connection]:
    """Three rows of a table with a key of two columns, and a server that knows how its sources cut texts."""
    connection.execute("CREATE TABLE pages (site text, id int, title text, body text, PRIMARY KEY (site, id))")
    connection.execute(
        "INSERT INTO pages VALUES ('a', 1, 'Title', 'one two three'), ('a', 2, NULL, ' '), ('b', 1, 'Long', %s)",
        [" ".join(f"w{i}" for i in range(100))],
    )

    def of(source_id: int, text: str) -> str:
        with psycopg.connect(database_url, autocommit=True) as other:
            (source,) = [source for source in sources.load(other) if source.id == source_id]
        return preview(source, text, WordMeasure())

    server = QueryServer(database_url, lambda _: encoder, lambda: [model_id], preview=of)
    server.start()
    assert server.wait_ready(20)
    yield connection
    server.stop()


def test_a_text_is_shown_as_it_will_be_embedded(pages: psycopg.Connection) -> None:
    pages.execute("SELECT rowvec.watch('pages', ARRAY['title', 'body'])")
    said: list[str | None] = []
    pages.add_notice_handler(lambda notice: said.append(notice.message_primary))
    text = "Title\n\none two three"
    assert pages.execute(QUERY, ["pages", "(a,1)"]).fetchall() == [(0, tokens(text), 0, len(text), text)]
    assert pages.execute(QUERY, ["pages", "(a,2)"]).fetchall() == []
    assert said == ["the row has no text, and so no vector: every text column is NULL or blank"]
    (row,) = pages.execute(QUERY, ["pages", "(b,1)"]).fetchall()
    assert row[1] > 64
    assert tokens(row[4]) <= 64
    assert said[1] == f"the text has {row[1]} tokens, and the model takes 64: it is embedded by its beginning"
    with pytest.raises(psycopg.errors.NoDataFound, match="no row with key"):
        pages.execute(QUERY, ["pages", "(c,1)"])


def test_chunks_are_shown_with_their_tokens_and_places(pages: psycopg.Connection) -> None:
    pages.execute("SELECT rowvec.watch('pages', 'body', chunk_tokens => 20, chunk_overlap => 4)")
    rows = pages.execute(QUERY, ["pages", "(b,1)"]).fetchall()
    assert len(rows) > 5
    body = pages.execute("SELECT body FROM pages WHERE site = 'b'").fetchone()
    assert body is not None
    for number, (chunk, count, start, end, text) in enumerate(rows):
        assert (chunk, count, text) == (number, tokens(body[0][start:end]), body[0][start:end])
        assert count <= 20


def test_a_row_that_the_caller_may_not_see_is_not_shown(pages: psycopg.Connection, database_url: str) -> None:
    pages.execute("SELECT rowvec.watch('pages', 'body')")
    pages.execute("CREATE ROLE previewer LOGIN")
    pages.execute("GRANT USAGE ON SCHEMA rowvec TO previewer")
    try:
        pages.execute("SET ROLE previewer")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pages.execute(QUERY, ["pages", "(a,1)"])
        pages.execute("RESET ROLE")
        pages.execute("GRANT SELECT ON pages TO previewer")
        pages.execute("SET ROLE previewer")
        assert pages.execute(QUERY, ["pages", "(a,1)"]).fetchone() is not None
    finally:
        pages.execute("RESET ROLE")
        pages.execute("DROP OWNED BY previewer")
        pages.execute("DROP ROLE previewer")


def tokens(text: str) -> int:
    return WordMeasure().count([text])[0]
