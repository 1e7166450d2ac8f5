"""swap(): the names of two sources change places; what was in flight writes into neither's table."""

from __future__ import annotations

import psycopg
import pytest

from rowvec.database import sources
from rowvec.flow.embed import embed
from rowvec.flow.plan import plan
from rowvec.flow.records import Lane
from tests.checking import assert_in_step
from tests.fakes import HashEncoder
from tests.fix_documents import MakeChangeLog
from tests.running import daemon


@pytest.fixture
def two(documents: psycopg.Connection, database_url: str) -> psycopg.Connection:
    """Two sources of one table, filled: `old` has the bodies, `new` the titles."""
    documents.execute("INSERT INTO documents (title, body) VALUES ('T', 'one'), ('U', 'two')")
    documents.execute("SELECT rowvec.watch('documents', 'body', name => 'old')")
    documents.execute("SELECT rowvec.watch('documents', 'title', name => 'new')")
    with daemon(database_url):
        assert_in_step(documents, "old", rows=2)
        assert_in_step(documents, "new", rows=2)
    return documents


def test_names_and_tables_change_places(two: psycopg.Connection, database_url: str) -> None:
    two.execute("SELECT rowvec.swap('old', 'new')")
    assert sources.find(two, "old").text_columns == ("title",)
    with daemon(database_url):
        two.execute("UPDATE documents SET title = 'V', body = 'three' WHERE title = 'U'")
        assert_in_step(two, "old", rows=2)
        assert_in_step(two, "new", rows=2)


def test_what_was_in_flight_is_taken_back(
    two: psycopg.Connection, database_url: str, make_change_log: MakeChangeLog
) -> None:
    two.execute("UPDATE documents SET title = 'V', body = 'three' WHERE title = 'U'")
    change_log, source = make_change_log(), sources.find(two, "old")
    work = plan(source, Lane.LIVE, change_log.claim(source, Lane.LIVE, texts=10, changes=10))
    two.execute("SELECT rowvec.swap('old', 'new')")
    embedded = embed(work, HashEncoder())
    acked = change_log.ack(source, Lane.LIVE, work.changes, embedded.results, embedded.matrix)
    assert (acked.changes, acked.keys) == (0, 0)
    with daemon(database_url):
        assert_in_step(two, "old", rows=2)
        assert_in_step(two, "new", rows=2)


def test_what_cannot_be_swapped_is_said(two: psycopg.Connection) -> None:
    two.execute("CREATE TABLE others (id int PRIMARY KEY, body text)")
    two.execute("SELECT rowvec.watch('others', 'body')")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="not two sources of one table"):
        two.execute("SELECT rowvec.swap('old', 'others')")
    with pytest.raises(psycopg.errors.UndefinedObject, match='no source "gone"'):
        two.execute("SELECT rowvec.swap('old', 'gone')")
    two.execute("SELECT rowvec.recheck('new')")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="being filled") as caught:
        two.execute("SELECT rowvec.swap('old', 'new')")
    assert "rowvec.wait" in str(caught.value.diag.message_hint)
