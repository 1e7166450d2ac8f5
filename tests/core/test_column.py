"""Column mode: the vector lives in the user's own row, and nobody there feels it."""

from __future__ import annotations

import psycopg
import pytest

from tests.checking import assert_in_step
from tests.running import daemon


def value(connection: psycopg.Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("made", ["", "vector(8)", "halfvec(8)"], ids=["by watch", "vector", "halfvec"])
def test_vectors_follow_texts_in_the_row_itself(documents: psycopg.Connection, database_url: str, made: str) -> None:
    if made:
        documents.execute(f"ALTER TABLE documents ADD embedding {made}".encode())
    documents.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(1, 700) g")
    documents.execute("SELECT rowvec.watch('documents', 'body', into_column => 'embedding')")
    with daemon(database_url):
        assert_in_step(documents, "documents", 700)
        documents.execute("UPDATE documents SET body = 'other ' || id WHERE id <= 100")
        documents.execute("DELETE FROM documents WHERE id BETWEEN 50 AND 150")
        documents.execute("UPDATE documents SET body = NULL WHERE id BETWEEN 150 AND 199")
        documents.execute("INSERT INTO documents (body) VALUES ('new'), (NULL), ('  ')")
        assert_in_step(documents, "documents", 700 - 101 - 49 + 1)
    assert value(documents, "SELECT count(*) FROM documents WHERE embedding IS NOT NULL") == 551
    documents.execute("SELECT rowvec.unwatch('documents', drop_vectors => true)")
    left = value(
        documents, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'documents'::regclass AND attname = 'embedding'"
    )
    assert left == (1 if made else 0)
