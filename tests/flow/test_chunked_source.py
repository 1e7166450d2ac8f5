"""Texts that are split into chunks: these exactly, only what changed is encoded, a row's chunks change together."""

from __future__ import annotations

from threading import Thread

import psycopg
import pytest

from rowvec.admin import verify
from rowvec.database import sources
from rowvec.database.sources import Source
from rowvec.database.vectors import from_text
from rowvec.encode.chunks import split
from rowvec.flow.change_log import ChangeLog
from rowvec.flow.embed import embed
from rowvec.flow.plan import plan
from rowvec.flow.records import Acked, Claim, Lane
from tests.checking import differences
from tests.fakes import MAX_TOKENS, HashEncoder, fake_vector
from tests.fix_documents import MakeChangeLog

PARAGRAPHS = [" ".join(f"p{n}w{i}" for i in range(6)) for n in range(6)]


@pytest.fixture
def source(documents: psycopg.Connection) -> Source:
    """Give a source with chunks of eight words, none repeated."""
    return watch(documents, "chunk_tokens => 10")


def watch(documents: psycopg.Connection, recipe: str) -> Source:
    documents.execute(f"SELECT rowvec.watch('documents', 'body', backfill => false, {recipe})".encode())
    return sources.find(documents, "documents")


def write(documents: psycopg.Connection, body: str | None, key: int = 1) -> None:
    documents.execute(
        "INSERT INTO documents (id, body) OVERRIDING SYSTEM VALUE VALUES (%s, %s)"
        " ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body",
        (key, body),
    )


def claim(change_log: ChangeLog, source: Source, lane: Lane = Lane.LIVE) -> list[Claim]:
    return change_log.claim(source, lane, texts=100, changes=100)


def finish(change_log: ChangeLog, source: Source, claims: list[Claim], encoder: HashEncoder | None = None) -> Acked:
    """Encode and write, as the pipeline does."""
    encoder = encoder or HashEncoder()
    done = embed(plan(source, Lane.LIVE, claims, encoder.measure), encoder)
    acked = change_log.ack(source, Lane.LIVE, done.work.changes, done.results, done.matrix, unfinished=done.unfinished)
    change_log.fail(source, Lane.LIVE, done.failures)
    return acked


def step(change_log: ChangeLog, source: Source, encoder: HashEncoder | None = None) -> list[str]:
    """Claim and finish; return what was encoded for it."""
    encoder = encoder or HashEncoder()
    finish(change_log, source, claim(change_log, source), encoder)
    return [text for call in encoder.calls for text in call]


def chunks(documents: psycopg.Connection, key: int = 1) -> list[str]:
    """The chunks that are stored, cut out of the text by their places; each with its own vector."""
    rows = documents.execute(
        "SELECT substring(d.body FROM chunk_start + 1 FOR chunk_end - chunk_start), embedding::text, chunk"
        " FROM rowvec.documents_vectors v LEFT JOIN documents d USING (id)"
        " WHERE id = %s AND embedding IS NOT NULL ORDER BY chunk",
        (key,),
    ).fetchall()
    assert [number for _, _, number in rows] == list(range(len(rows)))
    for text, vector, _ in rows:
        assert from_text([vector])[0].tolist() == fake_vector(text).tolist()
    return [text for text, _, _ in rows]


def test_a_long_text_has_a_vector_for_each_chunk(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    write(documents, "\n\n".join(PARAGRAPHS))
    write(documents, "a short one", key=2)
    assert sorted(step(make_change_log(), source)) == sorted(["a short one", *PARAGRAPHS])
    assert chunks(documents) == PARAGRAPHS
    assert chunks(documents, 2) == ["a short one"]


def test_an_edit_in_the_middle_encodes_that_chunk_only(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    change_log = make_change_log()
    write(documents, "\n\n".join(PARAGRAPHS))
    step(change_log, source)
    before = documents.execute("SELECT chunk, _at FROM rowvec.documents_vectors ORDER BY chunk").fetchall()
    edited = [*PARAGRAPHS[:2], PARAGRAPHS[2].replace("w3", "w9"), *PARAGRAPHS[3:]]  # of the same length
    write(documents, "\n\n".join(edited))
    assert step(change_log, source) == [edited[2]]
    assert chunks(documents) == edited
    after = documents.execute("SELECT chunk, _at FROM rowvec.documents_vectors ORDER BY chunk").fetchall()
    written = [new[0] for old, new in zip(before, after, strict=True) if old != new]
    assert written == [0, 2]  # the head, for its version; the others are not even written


def test_chunks_that_moved_are_copied_whichever_number_they_had(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    change_log = make_change_log()
    write(documents, "\n\n".join(PARAGRAPHS))
    step(change_log, source)
    for order in ([5, 0, 1, 2, 3, 4], [0, 3], [3], [1, 3, 1, 5], [1, 1, 1]):
        there = set(chunks(documents))
        text = "\n\n".join(PARAGRAPHS[i] for i in order)
        write(documents, text)
        assert set(step(change_log, source)) == {PARAGRAPHS[i] for i in order} - there
        assert chunks(documents) == [PARAGRAPHS[i] for i in order]
        assert differences(documents, "documents") == []


def test_a_text_that_grows_shrinks_goes_and_comes_back(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    change_log = make_change_log()
    for body in ("one", "\n\n".join(PARAGRAPHS), "\n\n".join(PARAGRAPHS[:2]), None, "back", "  ", "x " * 50, ""):
        write(documents, body)
        step(change_log, source)
        assert differences(documents, "documents") == [], body
    write(documents, "\n\n".join(PARAGRAPHS))
    step(change_log, source)
    documents.execute("DELETE FROM documents")
    step(change_log, source)
    rows = documents.execute("SELECT chunk, embedding, chunk_end, _hash FROM rowvec.documents_vectors").fetchall()
    assert rows == [(0, None, None, None)]


def test_chunks_overlap_as_asked_and_their_texts_are_kept_if_asked(
    documents: psycopg.Connection, make_change_log: MakeChangeLog
) -> None:
    source = watch(documents, "chunk_tokens => 12, chunk_overlap => 3, store_text => true")
    text = " ".join(f"w{i}" for i in range(24))
    write(documents, text)
    step(make_change_log(), source)
    assert chunks(documents) == [" ".join(f"w{i}" for i in range(a, min(a + 10, 24))) for a in (0, 7, 14)]
    kept = documents.execute("SELECT chunk_text FROM rowvec.documents_vectors ORDER BY chunk").fetchall()
    assert [row[0] for row in kept] == chunks(documents)
    recipe = "'body', chunk_tokens => 12, chunk_overlap => 3, replace => true"
    documents.execute(f"SELECT rowvec.watch('documents', {recipe})".encode())
    documents.execute("UPDATE documents SET body = body || ' '")
    assert step(make_change_log(), sources.find(documents, "documents")) == []  # vectors are kept, texts are not
    assert documents.execute("SELECT count(chunk_text) FROM rowvec.documents_vectors").fetchone() == (0,)


def test_two_claims_of_one_key_never_interleave(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    """The slow one read an older text, of more chunks: it writes not one of them."""
    slow, quick = make_change_log(), make_change_log()
    write(documents, "\n\n".join(PARAGRAPHS))
    old = claim(slow, source)
    write(documents, "\n\n".join(PARAGRAPHS[:2]))
    assert finish(quick, source, claim(quick, source)).keys == 1
    assert finish(slow, source, old) == Acked(0, 0, 1)
    assert chunks(documents) == PARAGRAPHS[:2]
    step(quick, source)
    assert chunks(documents) == PARAGRAPHS[:2]


def test_an_ack_waits_for_another_of_the_same_key_and_then_writes_nothing(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    """The first has written and not yet committed when the second begins: that one's snapshot is older."""
    first, second = make_change_log(), make_change_log()
    write(documents, "\n\n".join(PARAGRAPHS))
    old = claim(second, source)
    write(documents, "\n\n".join(PARAGRAPHS[3:]))
    new = claim(first, source)
    done: list[Acked] = []
    with first.connection.transaction():
        assert finish(first, source, new).keys == 1
        thread = Thread(target=lambda: done.append(finish(second, source, old)))
        thread.start()
        waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock')"
        pid = second.connection.info.backend_pid
        while documents.execute(waiting, (pid,)).fetchone() != (True,):
            assert thread.is_alive()
    thread.join()
    assert done == [Acked(0, 0, 1)]
    assert chunks(documents) == PARAGRAPHS[3:]


def test_a_text_that_fails_in_one_chunk_keeps_the_chunks_that_it_had(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    change_log = make_change_log(max_attempts=1)
    write(documents, "\n\n".join(PARAGRAPHS))
    write(documents, "innocent", key=2)
    step(change_log, source)
    write(documents, "\n\n".join([*PARAGRAPHS[:3], "RAISE", *PARAGRAPHS[3:]]))
    write(documents, "still innocent", key=2)
    step(change_log, source, HashEncoder(faults=True))
    errors = documents.execute("SELECT key, state, error FROM rowvec.errors").fetchall()
    assert errors == [("1", "dead", "RuntimeError: poison")]
    assert documents.execute("SELECT count(*) FROM rowvec.documents_vectors WHERE id = 1").fetchone() == (6,)
    assert chunks(documents, 2) == ["still innocent"]
    write(documents, "cured")
    step(change_log, source)
    assert differences(documents, "documents") == []
    assert documents.execute("SELECT count(*) FROM rowvec.errors").fetchone() == (0,)


def truncated(documents: psycopg.Connection) -> int:
    row = documents.execute("SELECT truncated FROM rowvec.status").fetchone()
    assert row is not None
    counted = documents.execute("SELECT count(*) FROM rowvec.documents_vectors WHERE _truncated").fetchone()
    assert counted == row
    return int(row[0])


def test_texts_that_were_cut_are_counted(documents: psycopg.Connection, make_change_log: MakeChangeLog) -> None:
    source, change_log = watch(documents, "on_overflow => 'truncate'"), make_change_log()
    long = "word " * MAX_TOKENS
    for n, body in enumerate((long, long + "more", "short"), 1):
        write(documents, body, key=n)
    step(change_log, source)
    assert truncated(documents) == 2
    write(documents, "short now", key=2)
    write(documents, long, key=3)
    step(change_log, source)
    assert truncated(documents) == 2
    write(documents, "word " * (MAX_TOKENS - 2), key=3)  # with the two special tokens it just fits
    documents.execute("DELETE FROM documents WHERE id = 1")
    step(change_log, source)
    assert truncated(documents) == 0


def test_a_text_that_is_too_long_can_be_an_error(documents: psycopg.Connection, make_change_log: MakeChangeLog) -> None:
    source, change_log = watch(documents, "on_overflow => 'error'"), make_change_log()
    write(documents, "word " * 300)
    write(documents, "short", key=2)
    step(change_log, source)
    errors = documents.execute("SELECT key, state, attempts, error, text_length FROM rowvec.errors").fetchall()
    assert [(key, state, attempts, length) for key, state, attempts, _, length in errors] == [("1", "dead", 1, 1500)]
    assert "the text has 302 tokens, and fake takes 256: shorten it, or watch" in errors[0][3]
    write(documents, "word " * 200)
    documents.execute("SELECT rowvec.retry('documents')")
    step(change_log, source)
    assert documents.execute("SELECT count(*) FROM rowvec.errors").fetchone() == (0,)
    assert differences(documents, "documents") == []


def test_only_texts_beyond_the_limit_are_cut_into_chunks(
    documents: psycopg.Connection, make_change_log: MakeChangeLog
) -> None:
    source, change_log = watch(documents, "on_overflow => 'chunk'"), make_change_log()
    write(documents, " ".join(f"w{i}" for i in range(254)))
    write(documents, " ".join(f"w{i}" for i in range(255)), key=2)
    step(change_log, source)
    assert (len(chunks(documents)), len(chunks(documents, 2))) == (1, 2)
    assert truncated(documents) == 0


def test_a_source_may_begin_and_end_to_have_chunks(
    documents: psycopg.Connection, make_change_log: MakeChangeLog
) -> None:
    change_log = make_change_log()
    write(documents, "\n\n".join(PARAGRAPHS))
    for recipe, expected in (
        ("on_overflow => 'truncate'", 1),
        ("chunk_tokens => 10, replace => true", 6),
        ("chunk_tokens => 20, replace => true", 2),
        ("replace => true", 1),
    ):
        source = watch(documents, recipe)
        documents.execute("UPDATE documents SET body = body || ' '")
        step(change_log, source)
        assert documents.execute("SELECT count(*) FROM rowvec.documents_vectors").fetchone() == (expected,)
        assert differences(documents, "documents") == []


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM rowvec.documents_vectors WHERE chunk = 5",
        "DELETE FROM rowvec.documents_vectors WHERE chunk = 2",
        "DELETE FROM rowvec.documents_vectors WHERE chunk = 0",
        "UPDATE rowvec.documents_vectors SET _hash = NULL, embedding = NULL WHERE chunk = 0",
    ],
)
@pytest.mark.parametrize("gone", [False, True])
def test_chunks_that_are_lost_are_found_and_healed(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog, harm: str, gone: bool
) -> None:
    change_log = make_change_log()
    write(documents, "\n\n".join(PARAGRAPHS))
    step(change_log, source)
    assert verify.verify(change_log.connection, source).ok
    documents.execute(harm.encode())
    if gone:
        with documents.transaction():
            documents.execute("SET LOCAL session_replication_role = replica")
            documents.execute("DELETE FROM documents")
    report = verify.verify(change_log.connection, source, repair=True)
    assert not report.ok
    step(change_log, source)
    assert verify.verify(change_log.connection, source).ok
    assert differences(documents, "documents") == []


def test_a_recheck_of_what_is_right_writes_nothing(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    change_log = make_change_log()
    for key, body in enumerate(("\n\n".join(PARAGRAPHS), "short", None), 1):
        write(documents, body, key)
    step(change_log, source)
    documents.execute("DELETE FROM rowvec.documents_vectors WHERE embedding IS NULL")  # the purge of tombstones
    before = documents.execute("SELECT ctid::text FROM rowvec.documents_vectors ORDER BY 1").fetchall()
    documents.execute(
        "INSERT INTO rowvec_internal.change (source_id, lane, keys) VALUES (%s, 1, '{1,2,3}')", (source.id,)
    )
    claims = claim(change_log, source, Lane.BACKFILL)
    work = plan(source, Lane.BACKFILL, claims, HashEncoder.measure)
    assert (len(claims), work.texts, work.known) == (3, (), ())
    assert verify.verify(change_log.connection, source).ok
    assert documents.execute("SELECT ctid::text FROM rowvec.documents_vectors ORDER BY 1").fetchall() == before


def test_renamed_and_retyped_keys_are_followed(
    documents: psycopg.Connection, source: Source, make_change_log: MakeChangeLog
) -> None:
    change_log = make_change_log()
    write(documents, "\n\n".join(PARAGRAPHS))
    step(change_log, source)
    documents.execute("ALTER TABLE documents RENAME id TO number")
    documents.execute("SELECT rowvec_internal.resolve(%s::smallint)", (source.id,))
    source = sources.find(documents, "documents")
    assert source.key_columns == ("number",)
    documents.execute("UPDATE documents SET body = %s", ("\n\n".join(PARAGRAPHS[1:]),))
    assert step(change_log, source) == []
    assert differences(documents, "documents") == []
    documents.execute("SELECT rowvec.unwatch('documents', drop_vectors => true)")
    assert documents.execute("SELECT to_regclass('rowvec.documents_vectors')").fetchone() == (None,)


def test_what_cannot_be_is_refused(documents: psycopg.Connection) -> None:
    for recipe in (
        "store_text => true",
        "chunk_tokens => 4",
        "chunk_tokens => 257",
        "chunk_tokens => 20, chunk_overlap => 11",
    ):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            watch(documents, recipe)


def test_the_measure_of_the_tests_cuts_as_expected() -> None:
    text = "\n\n".join(PARAGRAPHS)
    assert [text[s.start : s.end] for s in split(text, HashEncoder.measure, limit=10)] == PARAGRAPHS
