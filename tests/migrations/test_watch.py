"""What watch() refuses, in one clear line with a hint, and what it takes over."""

from __future__ import annotations

import psycopg
import pytest

from rowvec.admin.verify import verify
from rowvec.database import sources
from tests.checking import wait
from tests.fakes import HashEncoder
from tests.running import add_fake_model, check_in_step, daemon


@pytest.mark.parametrize(
    ("statement", "message", "hint"),
    [
        ("SELECT rowvec.watch('a_view', 'body')", "it is a view", "Watch the table"),
        ("SELECT rowvec.watch('temporary', 'body')", "it is a temporary table", "Watch the table"),
        ("SELECT rowvec.watch('keyless', 'body')", "has no key", "Add a primary key"),
        ("SELECT rowvec.watch('reserved', 'body')", "key column of reserved is called", "rename the key column"),
        ("SELECT rowvec.watch('documents', 'views')", 'column "views" of documents is integer', "template =>"),
        ("SELECT rowvec.watch('documents', 'bodi')", 'no column "bodi"', "id, title, body, views"),
        ("SELECT rowvec.watch('documents', '{}'::text[])", "no text column", "For example"),
        ("SELECT rowvec.watch('documents', 'body', model => 'other')", 'no model "other"', "Models: fake"),
        ("SELECT rowvec.watch('documents', 'body', template => '{body} {title}')", "names {title}", "Add it"),
        ("SELECT rowvec.watch('documents', ARRAY['title', 'body'], template => '{body}')", '"title"', "{column}"),
        ("SELECT rowvec.watch('documents', 'body', template => '{body} }')", "not closed, or not opened", "{column}"),
        ("SELECT rowvec.watch('documents', 'body', name => repeat('x', 60))", "longer than 48 bytes", "shorter"),
        ("SELECT rowvec.watch('documents', 'body', index => 'hnsw')", "index is 'hnsw'", "'auto'"),
        ("SELECT rowvec.unwatch('nothing')", 'no source "nothing"', "Begin with"),
    ],
)
def test_a_wrong_call_says_what_to_do(documents: psycopg.Connection, statement: str, message: str, hint: str) -> None:
    documents.execute("CREATE VIEW a_view AS SELECT * FROM documents")
    documents.execute("CREATE TEMP TABLE temporary (id int PRIMARY KEY, body text)")
    documents.execute("CREATE TABLE keyless (body text)")
    documents.execute("CREATE TABLE reserved (chunk int PRIMARY KEY, body text)")
    with pytest.raises(psycopg.Error) as caught:
        documents.execute(statement.encode())
    assert message in str(caught.value.diag.message_primary)
    assert hint in str(caught.value.diag.message_hint)
    assert documents.execute("SELECT count(*) FROM rowvec_internal.source").fetchone() == (0,)


def test_other_types_are_read_through_a_template(documents: psycopg.Connection, database_url: str) -> None:
    documents.execute("INSERT INTO documents (title, body, views) VALUES ('T', NULL, 3)")
    documents.execute("SELECT rowvec.watch('documents', ARRAY['title','views'], template => '{title}: {views} views')")
    encoder = HashEncoder()
    with daemon(database_url, encoder):
        wait(documents)
        documents.execute("UPDATE documents SET body = 'not part of the text'")
        wait(documents)
    assert encoder.calls == [["T: 3 views"]]


def test_vectors_of_another_model_are_never_taken_over(documents: psycopg.Connection, database_url: str) -> None:
    documents.execute("INSERT INTO documents (body) VALUES ('one'), ('two')")
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    with daemon(database_url):
        wait(documents)
    documents.execute("SELECT rowvec.unwatch('documents')")
    add_fake_model(documents, "other", "other" * 8)
    documents.execute("SELECT rowvec.watch('documents', 'body', model => 'other', backfill => false)")
    report = verify(documents, sources.find(documents, "documents"))
    assert (report.wrong_model, report.stale, report.missing) == (2, 0, 0)
    documents.execute("SELECT rowvec.recheck('documents')")
    encoder = HashEncoder()
    with daemon(database_url, encoder):
        wait(documents)
    assert sorted(text for texts in encoder.calls for text in texts) == ["one", "two"]


def test_a_vector_table_of_another_shape_is_not_taken_over(documents: psycopg.Connection) -> None:
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    documents.execute("SELECT rowvec.unwatch('documents')")
    documents.execute("ALTER TABLE rowvec.documents_vectors RENAME id TO other")
    with pytest.raises(psycopg.errors.DuplicateTable, match="is there already, with other keys"):
        documents.execute("SELECT rowvec.watch('documents', 'body')")


def test_two_sources_on_one_table_keep_apart(documents: psycopg.Connection, database_url: str) -> None:
    documents.execute("SELECT rowvec.watch('documents', 'title', name => 'titles')")
    documents.execute("SELECT rowvec.watch('documents', 'body', name => 'bodies')")
    documents.execute("INSERT INTO documents (title, body) VALUES ('a', 'b'), (NULL, 'c'), ('d', NULL)")
    with daemon(database_url):
        wait(documents, "titles")
        wait(documents, "bodies")
        documents.execute("SELECT rowvec.unwatch('titles', drop_vectors => true)")
        documents.execute("UPDATE documents SET body = 'changed', title = 'changed'")
        wait(documents, "bodies")
    assert check_in_step(documents, "bodies") == 3
