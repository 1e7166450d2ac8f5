"""The change log by hand: leases, fences, races, splits, failures; each guard has a test that fails without it."""

from __future__ import annotations

import psycopg
import pytest

from rowvec.database import sources
from rowvec.database.sources import Source
from rowvec.flow.change_log import ChangeLog
from rowvec.flow.embed import embed
from rowvec.flow.plan import plan
from rowvec.flow.records import Acked, Claim, Lane
from rowvec.flow.retry_tiers import retry_tiers
from tests.fakes import HashEncoder
from tests.fix_documents import MakeChangeLog
from tests.running import SHAPES, check_in_step


@pytest.fixture(params=SHAPES)
def source(documents: psycopg.Connection, request: pytest.FixtureRequest) -> Source:
    """Give a watched table with three rows, whose changes wait, in every shape."""
    documents.execute(f"SELECT rowvec.watch('documents', 'body', backfill => false{SHAPES[request.param]})".encode())
    documents.execute("INSERT INTO documents (body) VALUES ('one'), ('two'), ('three')")
    return sources.find(documents, "documents")


def claim(change_log: ChangeLog, source: Source, lane: Lane = Lane.LIVE) -> list[Claim]:
    return change_log.claim(source, lane, texts=100, changes=100)


def claim_tried(change_log: ChangeLog, source: Source) -> list[Claim]:
    """Claim what was claimed before, as the pipeline does after a death."""
    for tier in retry_tiers(change_log.max_attempts)[1:]:
        if claims := change_log.claim_tier(tier, source, Lane.LIVE, texts=1000):
            return claims
    return []


def finish(change_log: ChangeLog, source: Source, claims: list[Claim], lane: Lane = Lane.LIVE) -> Acked:
    """Encode and write, as the pipeline does."""
    done = embed(plan(source, lane, claims, HashEncoder.measure), HashEncoder())
    return change_log.ack(source, lane, done.work.changes, done.results, done.matrix)


def test_a_claim_is_leased_to_one_daemon(make_change_log: MakeChangeLog, source: Source) -> None:
    first, second = make_change_log(), make_change_log()
    assert [c.text for c in claim(first, source)] == ["one", "two", "three"]
    assert claim(second, source) == []


def test_a_zombie_writes_nothing(make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection) -> None:
    zombie, heir = make_change_log(lease_seconds=0.0), make_change_log()
    late = claim(zombie, source)
    heirs = claim_tried(heir, source)
    assert [c.key for c in heirs] == [c.key for c in late]
    assert finish(zombie, source, late) == Acked(0, 0, 0)
    assert finish(heir, source, heirs) == Acked(1, 3, 0)
    assert check_in_step(documents, "documents") == 3


def test_an_older_text_never_wins(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection
) -> None:
    """Two valid leases on two changes of one key finish in the wrong order: the late one goes back to the log."""
    slow, quick = make_change_log(), make_change_log()
    old = claim(slow, source)
    documents.execute("UPDATE documents SET body = 'new one' WHERE body = 'one'")
    assert finish(quick, source, claim(quick, source)) == Acked(1, 1, 0)
    assert finish(slow, source, old) == Acked(0, 2, 1)
    assert finish(quick, source, claim(quick, source)).changes == 1
    assert check_in_step(documents, "documents") == 3


def test_a_text_that_changes_there_and_back_is_not_overtaken(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection
) -> None:
    """An unchanged text must move the version too, or the slow claim between would write its own text last."""
    slow, quick = make_change_log(), make_change_log()
    finish(quick, source, claim(quick, source))
    documents.execute("UPDATE documents SET body = 'between' WHERE body = 'one'")
    between = claim(slow, source)
    documents.execute("UPDATE documents SET body = 'one' WHERE body = 'between'")
    assert finish(quick, source, claim(quick, source)).changes == 1
    assert finish(slow, source, between) == Acked(0, 0, 1)
    assert check_in_step(documents, "documents") == 3


def test_a_deleted_row_is_not_brought_back(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection
) -> None:
    slow, quick = make_change_log(), make_change_log()
    old = claim(slow, source)
    documents.execute("DELETE FROM documents WHERE body = 'two'")
    finish(quick, source, claim(quick, source))
    finish(slow, source, old)
    finish(quick, source, claim(quick, source))
    assert check_in_step(documents, "documents") == 2


def test_a_backfill_that_read_before_a_commit_does_not_win(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection, database_url: str
) -> None:
    """The backfill's change has the higher seq, but the older text: a guard by seq would keep that for ever."""
    slow, quick = make_change_log(), make_change_log()
    finish(quick, source, claim(quick, source))
    with psycopg.connect(database_url) as user:
        user.execute("UPDATE documents SET body = 'committed late' WHERE body = 'one'")
        documents.execute(
            "INSERT INTO rowvec_internal.change (source_id, lane, keys) VALUES (%s, 1, '{1}')", (source.id,)
        )
        documents.execute("UPDATE rowvec.documents_vectors SET _hash = NULL WHERE id = 1")
        backfill = claim(slow, source, Lane.BACKFILL)
        assert backfill[0].text == "one"
    assert finish(quick, source, claim(quick, source)).changes == 1
    assert finish(slow, source, backfill, Lane.BACKFILL) == Acked(0, 0, 1)
    assert finish(quick, source, claim(quick, source, Lane.BACKFILL), Lane.BACKFILL).changes == 1
    assert check_in_step(documents, "documents") == 3


def test_a_recheck_of_what_is_right_writes_nothing(make_change_log: MakeChangeLog, source: Source) -> None:
    change_log = make_change_log()
    finish(change_log, source, claim(change_log, source))
    change_log.connection.execute(
        "INSERT INTO rowvec_internal.change (source_id, lane, keys) VALUES (%s, 1, '{1,2,3}')", (source.id,)
    )
    assert finish(change_log, source, claim(change_log, source, Lane.BACKFILL), Lane.BACKFILL) == Acked(1, 0, 0)
    versions = change_log.connection.execute("SELECT DISTINCT _version FROM rowvec.documents_vectors").fetchall()
    assert versions == [(1,)]


def test_a_failure_is_retried_and_then_buried_with_its_neighbours_alive(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection
) -> None:
    change_log = make_change_log(max_attempts=2)
    documents.execute("UPDATE documents SET body = 'RAISE' WHERE body = 'two'")
    poison = HashEncoder(faults=True)
    for attempt in (1, 2):
        claims = claim(change_log, source) if attempt == 1 else claim_tried(change_log, source)
        done = embed(plan(source, Lane.LIVE, claims, HashEncoder.measure), poison)
        assert [failure.claim.key for failure in done.failures] == ["2"]
        change_log.ack(source, Lane.LIVE, done.work.changes, done.results, done.matrix, unfinished=done.unfinished)
        change_log.fail(source, Lane.LIVE, done.failures)
        documents.execute("UPDATE rowvec_internal.change SET visible_at = '-infinity'")
    errors = documents.execute("SELECT key, state, attempts, error, text_length FROM rowvec.errors").fetchall()
    assert errors == [("2", "dead", 2, "RuntimeError: poison", 5)]
    assert documents.execute("SELECT count(*) FROM rowvec.documents_vectors WHERE _hash IS NOT NULL").fetchone() == (2,)
    assert documents.execute("SELECT rowvec.retry('documents')").fetchone() == (1,)
    documents.execute("UPDATE documents SET body = 'cured' WHERE body = 'RAISE'")
    finish(change_log, source, claim(change_log, source))
    assert documents.execute("SELECT count(*) FROM rowvec.errors").fetchone() == (0,)
    assert check_in_step(documents, "documents") == 3


def test_what_lost_a_race_beside_a_failure_is_logged_anew(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection
) -> None:
    """The change stays for the key that failed, and for that only: the other must not go with it."""
    first, second = make_change_log(), make_change_log()
    old = claim(first, source)
    documents.execute("UPDATE documents SET body = CASE id WHEN 1 THEN 'one more' ELSE 'RAISE' END WHERE id < 3")
    documents.execute(
        "UPDATE rowvec_internal.change SET keys = ARRAY['1', '2'] WHERE daemon_id IS NULL AND keys = ARRAY['1']"
    )
    documents.execute("DELETE FROM rowvec_internal.change WHERE daemon_id IS NULL AND keys = ARRAY['2']")
    done = embed(plan(source, Lane.LIVE, claim(second, source), HashEncoder.measure), HashEncoder(faults=True))
    assert [failure.claim.key for failure in done.failures] == ["2"]
    finish(first, source, old)
    second.ack(source, Lane.LIVE, done.work.changes, done.results, done.matrix, unfinished=done.unfinished)
    second.fail(source, Lane.LIVE, done.failures)
    waiting = documents.execute("SELECT keys FROM rowvec_internal.change ORDER BY seq").fetchall()
    assert waiting == [(["2"],), (["1"],)]
    documents.execute("UPDATE documents SET body = 'cured' WHERE id = 2")
    documents.execute("UPDATE rowvec_internal.change SET visible_at = '-infinity', attempts = 0")
    finish(second, source, claim(second, source))
    assert check_in_step(documents, "documents") == 3


def test_what_a_dead_process_held_is_taken_apart(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection
) -> None:
    """520 rows of one statement die again and again: the last try of each is alone, so that only a killer is buried."""
    dying = make_change_log(lease_seconds=0.0, max_attempts=5)
    finish(dying, source, claim(dying, source))
    documents.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(1, 520) g")
    sizes: list[list[int]] = []
    for tier in retry_tiers(5):
        sizes.append([])
        while claims := dying.claim_tier(tier, source, Lane.LIVE, texts=1000):
            sizes[-1].append(len(claims))
    assert sizes == [[520], [512, 8], [64] * 8 + [8], [8] * 65, [1] * 520]
    parts = "SELECT count(DISTINCT (seq, part)), sum(cardinality(keys)), min(attempts) FROM rowvec_internal.change"
    assert documents.execute(parts).fetchone() == (520, 520, 5)


def test_what_is_too_large_to_be_tried_so_often_is_left_until_it_is_taken_apart(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection
) -> None:
    """Two changes are taken apart at a time; the claim after it must not take a third one whole for its last try."""
    change_log = make_change_log(max_attempts=2)
    finish(change_log, source, claim(change_log, source))
    for _ in range(5):
        documents.execute("INSERT INTO documents (body) VALUES ('one'), ('two')")
    documents.execute("UPDATE rowvec_internal.change SET attempts = 1")
    assert len(claim(change_log, source)) == 0
    while claims := claim_tried(change_log, source):
        assert len(claims) == 1
        finish(change_log, source, claims)
    assert check_in_step(documents, "documents") == 13


@pytest.mark.parametrize("max_attempts", range(1, 12))
def test_any_number_of_tries_ends_alone(max_attempts: int) -> None:
    each = retry_tiers(max_attempts)
    bounds = [tier.attempts for tier in each]
    assert [low for low, _ in bounds] == [0, *(high for _, high in bounds[:-1])]  # none is left out, none is had twice
    assert each[-1].keys == 1
    assert each[-1].attempts == (each[-1].attempts[1] - 1, max(2, max_attempts))


def test_a_slow_model_splits_a_bulk_change(
    make_change_log: MakeChangeLog, source: Source, documents: psycopg.Connection
) -> None:
    change_log = make_change_log()
    finish(change_log, source, claim(change_log, source))
    documents.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(1, 512) g")
    sizes = []
    while claims := change_log.claim_tier(retry_tiers(3)[0], source, Lane.LIVE, texts=50):
        sizes.append(len(claims))
        finish(change_log, source, claims)
    assert sizes == [50] * 10 + [12]
    assert check_in_step(documents, "documents") == 515


def test_a_released_claim_is_not_charged(make_change_log: MakeChangeLog, source: Source) -> None:
    first, second = make_change_log(), make_change_log()
    claim(first, source)
    assert first.release() == 1
    assert [c.attempts for c in claim(second, source)] == [1, 1, 1]


def test_a_duplicate_by_the_keys_own_equality_is_written_once(
    make_change_log: MakeChangeLog, documents: psycopg.Connection
) -> None:
    documents.execute("CREATE TABLE priced (price numeric PRIMARY KEY, body text)")
    documents.execute("SELECT rowvec.watch('priced', 'body', backfill => false)")
    documents.execute("INSERT INTO priced VALUES (1.0, 'one')")
    documents.execute("UPDATE priced SET price = 1.00, body = 'still one'")
    change_log, source = make_change_log(), sources.find(documents, "priced")
    claims = claim(change_log, source)
    assert sorted({c.key for c in claims if c.key}) == ["1.0", "1.00"]
    finish(change_log, source, claims)
    assert check_in_step(documents, "priced") == 1
