"""Insert a row, get a vector: the whole path with the fake encoder."""

from __future__ import annotations

import psycopg
import pytest

from rowvec.daemon.daemon import Daemon
from tests.checking import until, wait
from tests.running import check_in_step


def test_rows_before_and_after_watch_get_their_vectors(documents: psycopg.Connection, running: Daemon) -> None:
    documents.execute("INSERT INTO documents (body) SELECT 'old ' || g FROM generate_series(1, 1500) g")
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    documents.execute("INSERT INTO documents (body) SELECT 'new ' || g FROM generate_series(1, 700) g")
    wait(documents)
    assert check_in_step(documents, "documents") == 2200


@pytest.mark.usefixtures("running")
def test_every_kind_of_write_is_followed(documents: psycopg.Connection) -> None:
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    documents.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(1, 50) g")
    wait(documents)
    documents.execute("UPDATE documents SET body = 'changed ' || id WHERE id <= 20")
    documents.execute("UPDATE documents SET body = NULL WHERE id = 21")
    documents.execute("UPDATE documents SET body = '  ' WHERE id = 22")
    documents.execute("DELETE FROM documents WHERE id BETWEEN 30 AND 35")
    documents.execute("UPDATE documents SET id = DEFAULT WHERE id = 40")
    documents.execute("INSERT INTO documents (body) VALUES ('same'), ('same'), ('')")
    wait(documents)
    assert check_in_step(documents, "documents") == 47


@pytest.mark.usefixtures("running")
def test_truncate_clears_the_vectors(documents: psycopg.Connection) -> None:
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    documents.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(1, 50) g")
    wait(documents)
    documents.execute("TRUNCATE documents")
    documents.execute("INSERT INTO documents (body) VALUES ('after')")
    wait(documents)
    assert check_in_step(documents, "documents") == 1


@pytest.mark.usefixtures("running")
def test_a_name_may_hold_any_character(documents: psycopg.Connection) -> None:
    """Quotes, per cent signs and braces in names: each is special somewhere between here and the server."""
    documents.execute('CREATE TABLE "Größe 100% {x}" ("k%s" int PRIMARY KEY, "a ""b"" %(c)s" text)'.encode())
    documents.execute("""SELECT rowvec.watch('"Größe 100% {x}"', 'a "b" %(c)s', name => 'odd')""".encode())
    documents.execute("""INSERT INTO "Größe 100% {x}" VALUES (1, 'one'), (2, 'two')""".encode())
    wait(documents, "odd")
    assert documents.execute("SELECT count(embedding) FROM rowvec.odd_vectors").fetchone() == (2,)


@pytest.mark.usefixtures("running")
def test_the_default_model_is_warm_before_a_source_asks(documents: psycopg.Connection) -> None:
    until(documents, "SELECT models FROM rowvec_internal.daemon", [1])
    assert documents.execute("SELECT count(*) FROM rowvec_internal.source").fetchone() == (0,)
