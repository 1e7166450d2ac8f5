"""Changing a source's recipe: what differs is said, then embedded again, and nothing else is."""

from __future__ import annotations

import psycopg
import pytest

from rowvec.database import sources
from rowvec.flow.records import Lane
from tests.checking import assert_in_step, wait
from tests.fakes import HashEncoder, fake_vector
from tests.fix_documents import MakeChangeLog
from tests.running import daemon


def watch(connection: psycopg.Connection, recipe: str) -> None:
    connection.execute(f"SELECT rowvec.watch('documents', {recipe})".encode())


def test_a_recipe_is_replaced_when_asked_and_only_what_differs_is_embedded(
    documents: psycopg.Connection, database_url: str
) -> None:
    documents.execute("INSERT INTO documents (title, body) VALUES ('T', 'one'), (NULL, 'two'), ('U', NULL)")
    watch(documents, "'body'")
    encoder = HashEncoder()
    with daemon(database_url, encoder):
        wait(documents, "documents")
        encoder.calls.clear()
        with pytest.raises(psycopg.errors.DuplicateObject) as caught:
            watch(documents, "ARRAY['title', 'body']")
        assert 'text columns: ["title", "body"] instead of ["body"]' in str(caught.value.diag.message_detail)
        assert "replace => true" in str(caught.value.diag.message_hint)
        watch(documents, "ARRAY['title', 'body'], if_not_exists => true")
        wait(documents, "documents")
        assert encoder.calls == []

        said: list[str | None] = []
        documents.add_notice_handler(lambda notice: said.append(notice.message_primary))
        watch(documents, "ARRAY['title', 'body'], replace => true")
        assert_in_step(documents, "documents", rows=3)
        assert sorted(text for call in encoder.calls for text in call) == ["T\n\none", "U"]
        documents.execute("UPDATE documents SET title = 'V' WHERE title = 'U'")  # the triggers follow the recipe
        assert_in_step(documents, "documents", rows=3)
        watch(documents, "ARRAY['title', 'body'], replace => true")
    assert said[0] is not None
    assert "the recipe of source" in said[0]
    assert said[-1] == 'source "documents" is already watched, as asked'


def test_a_claim_by_an_older_recipe_takes_nothing(
    documents: psycopg.Connection, make_change_log: MakeChangeLog
) -> None:
    watch(documents, "'body'")
    documents.execute("INSERT INTO documents (title, body) VALUES ('T', 'one')")
    change_log, before = make_change_log(), sources.find(documents, "documents")
    watch(documents, "'title', replace => true")
    assert change_log.claim(before, Lane.LIVE, texts=10, changes=10) == []
    after = change_log.claim(sources.find(documents, "documents"), Lane.LIVE, texts=10, changes=10)
    assert [claim.text for claim in after] == ["T"]


def test_what_is_only_searched_otherwise_is_not_looked_at_again(documents: psycopg.Connection) -> None:
    """Else a word in the query prompt would read a table of millions."""
    watch(documents, "'body', backfill => false")
    watch(documents, "'body', query_prompt => 'query: ', index => 'auto', replace => true")
    state = documents.execute(
        "SELECT query_prompt, index_kind, recipe, phase FROM rowvec_internal.source, rowvec_internal.backfill"
    )
    assert state.fetchone() == ("query: ", "auto", 1, "done")
    watch(documents, "'title', query_prompt => 'query: ', index => 'auto', replace => true")
    state = documents.execute(
        "SELECT text_columns[1]::text, recipe, phase FROM rowvec_internal.source, rowvec_internal.backfill"
    )
    assert state.fetchone() == ("title", 2, "rows")


@pytest.mark.parametrize("change", ["model => 'other'", "into_column => 'embedding'"])
def test_what_would_mix_two_kinds_of_vectors_is_refused(documents: psycopg.Connection, change: str) -> None:
    documents.execute(
        "INSERT INTO rowvec_internal.model (name, fingerprint, dims, max_tokens, manifest) VALUES ('other',"
        " 'o', 8, 256, '{}')"
    )
    watch(documents, "'body'")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="cannot be replaced in place") as caught:
        watch(documents, f"'body', {change}, replace => true")
    assert "another name" in str(caught.value.diag.message_hint)


def test_a_prompt_of_the_source_stands_before_each_text(documents: psycopg.Connection, database_url: str) -> None:
    documents.execute("INSERT INTO documents (body) VALUES ('one')")
    watch(documents, "'body', document_prompt => 'passage: ', query_prompt => 'query: '")
    with daemon(database_url, HashEncoder()):
        wait(documents, "documents")
        assert vector(documents) == vector_of("passage: one")
        watch(documents, "'body', document_prompt => 'text: ', query_prompt => 'query: ', replace => true")
        wait(documents, "documents")
        assert vector(documents) == vector_of("text: one")
    documents.execute(
        "INSERT INTO rowvec_internal.query_cache (key, model_id, vector)"
        " SELECT rowvec_internal.query_key(fingerprint, precision, 'query: ', 'one'), id, '[1]' FROM"
        " rowvec_internal.model"
    )
    assert documents.execute("SELECT rowvec.embed('one', source => 'documents')::text").fetchone() == ("[1]",)


def vector(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT embedding::text FROM rowvec.documents_vectors").fetchone()
    assert row is not None
    return str(row[0])


def vector_of(text: str) -> str:
    return "[" + ",".join(f"{value:g}" for value in fake_vector(text)) + "]"
