"""Drift: the user's writes never fail, the daemon follows what it can, and says what it cannot."""

from __future__ import annotations

import psycopg
import pytest

from rowvec.admin.verify import verify
from rowvec.database import sources
from tests.checking import until, wait
from tests.running import check_in_step

pytestmark = pytest.mark.usefixtures("running")
PROBLEM = "SELECT problem FROM rowvec.status WHERE name = 'documents' AND state = 'broken'"


@pytest.fixture
def watched(documents: psycopg.Connection) -> psycopg.Connection:
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    documents.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(1, 30) g")
    wait(documents)
    return documents


def test_a_renamed_key_and_text_column_are_followed(watched: psycopg.Connection) -> None:
    watched.execute("ALTER TABLE documents RENAME id TO document_id")
    watched.execute("INSERT INTO documents (body) VALUES ('between')")
    watched.execute("DELETE FROM documents WHERE document_id = 3")
    watched.execute("ALTER TABLE documents RENAME body TO content")
    watched.execute("UPDATE documents SET content = 'changed' WHERE document_id = 5")
    wait(watched)
    assert check_in_step(watched, "documents") == 30


def test_a_renamed_table_is_followed(watched: psycopg.Connection) -> None:
    watched.execute("CREATE SCHEMA archive")
    watched.execute("ALTER TABLE documents RENAME TO papers")
    watched.execute("ALTER TABLE papers SET SCHEMA archive")
    watched.execute("UPDATE archive.papers SET body = 'changed' WHERE id = 5")
    wait(watched)
    assert check_in_step(watched, "documents") == 30


def test_a_key_that_grows_to_bigint_between_pause_and_resume(documents: psycopg.Connection) -> None:
    documents.execute("CREATE TABLE small (id int PRIMARY KEY, body text)")
    documents.execute("SELECT rowvec.watch('small', 'body')")
    documents.execute("INSERT INTO small VALUES (1, 'one')")
    wait(documents, "small")
    documents.execute("SELECT rowvec.pause('small')")
    documents.execute("ALTER TABLE small ALTER id TYPE bigint")
    documents.execute("INSERT INTO small VALUES (5000000000, 'big')")
    documents.execute("SELECT rowvec.resume('small')")
    wait(documents, "small")
    assert check_in_step(documents, "small") == 2


def test_writes_past_the_triggers_are_found_by_verify(watched: psycopg.Connection) -> None:
    with watched.transaction():
        watched.execute("SET LOCAL session_replication_role = replica")
        watched.execute("UPDATE documents SET body = 'unseen' WHERE id <= 4")
        watched.execute("DELETE FROM documents WHERE id BETWEEN 11 AND 12")
        watched.execute("INSERT INTO documents (body) VALUES ('new'), ('new too'), ('third')")
    source = sources.find(watched, "documents")
    report = verify(watched, source, window=7)
    assert (report.rows, report.missing, report.stale, report.orphan, report.wrong_model) == (31, 3, 4, 2, 0)
    assert verify(watched, source, repair=True).keys == report.keys
    wait(watched)
    assert verify(watched, source).ok
    assert check_in_step(watched, "documents") == 31


def test_a_dropped_table_is_said_and_stalls_no_other(watched: psycopg.Connection) -> None:
    watched.execute("CREATE TABLE other (id int PRIMARY KEY, body text)")
    watched.execute("SELECT rowvec.watch('other', 'body')")
    watched.execute("INSERT INTO documents (body) VALUES ('lost')")
    watched.execute("DROP TABLE documents")
    watched.execute("INSERT INTO other VALUES (1, 'one')")
    wait(watched, "other")
    until(watched, PROBLEM, "its table is gone: unwatch it")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="broken"):
        wait(watched)
    watched.execute("SELECT rowvec.unwatch('documents', drop_vectors => true)")


def test_a_dropped_vector_table_is_said(watched: psycopg.Connection) -> None:
    watched.execute("DROP TABLE rowvec.documents_vectors")
    watched.execute("INSERT INTO documents (body) VALUES ('no place for it')")
    until(watched, PROBLEM, "its vector table is gone: unwatch it, and watch it again")
    watched.execute("SELECT rowvec.unwatch('documents', drop_vectors => true)")
    watched.execute("SELECT rowvec.watch('documents', 'body')")
    wait(watched)
    assert check_in_step(watched, "documents") == 31
