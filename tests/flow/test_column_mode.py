"""Column mode: the vector lives in the user's own row, and nobody there feels it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rowvec.admin.verify import verify
from rowvec.database import sources
from rowvec.flow.embed import embed
from rowvec.flow.plan import plan
from rowvec.flow.records import Failure, Lane
from tests.checking import assert_in_step, differences, eventually, until, wait
from tests.fakes import HashEncoder
from tests.fix_documents import MakeChangeLog
from tests.flow.test_change_log import claim, finish
from tests.running import daemon

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "vectors-in-your-own-table.md"
WATCH = "SELECT rowvec.watch('documents', 'body', into_column => 'embedding')"
LOGGED = "SELECT count(*)::int FROM rowvec_internal.change"


def value(connection: psycopg.Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
def watched(documents: psycopg.Connection) -> psycopg.Connection:
    """Watch three rows."""
    documents.execute("INSERT INTO documents (title, body) VALUES ('a', 'one'), ('b', 'two'), ('c', NULL)")
    documents.execute(WATCH.encode())
    return documents


@pytest.fixture
def plain_url(watched: psycopg.Connection, database_url: str) -> Iterator[str]:
    """Give a URL for a daemon that may do no more than it must: it is no superuser."""
    role = f"{watched.info.dbname}_daemon"
    watched.execute(f"CREATE ROLE {role} BYPASSRLS; GRANT USAGE ON SCHEMA rowvec, rowvec_internal TO {role}".encode())
    for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        watched.execute(f"GRANT ALL ON ALL {kind} IN SCHEMA rowvec, rowvec_internal TO {role}".encode())
    watched.execute(f"GRANT SELECT, UPDATE (embedding) ON documents TO {role}".encode())
    yield make_conninfo(database_url, options=f"-c role={role}")
    watched.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


@pytest.mark.parametrize("made", ["", "vector(8)", "halfvec(8)"], ids=["by watch", "vector", "halfvec"])
def test_vectors_follow_texts_in_the_row_itself(documents: psycopg.Connection, database_url: str, made: str) -> None:
    if made:
        documents.execute(f"ALTER TABLE documents ADD embedding {made}".encode())
    documents.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(1, 700) g")
    documents.execute(WATCH.encode())
    with daemon(database_url):
        assert_in_step(documents, "documents", 700)
        documents.execute("UPDATE documents SET body = 'other ' || id WHERE id <= 100")
        documents.execute("DELETE FROM documents WHERE id BETWEEN 50 AND 150")
        documents.execute("UPDATE documents SET body = NULL WHERE id BETWEEN 150 AND 199")
        documents.execute("INSERT INTO documents (body) VALUES ('new'), (NULL), ('  ')")
        assert_in_step(documents, "documents", 700 - 101 - 49 + 1)
    assert value(documents, "SELECT count(*) FROM documents WHERE embedding IS NOT NULL") == 551
    documents.execute("SELECT rowvec.unwatch('documents', drop_vectors => true)")
    there = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'documents'::regclass AND attname = 'embedding'"
    assert value(documents, there) == (1 if made else 0)


@pytest.mark.parametrize(
    ("prepare", "options", "says"),
    [
        ("ADD embedding vector(9)", "", "must be vector"),
        ("ADD embedding vector", "", "must be vector"),
        ("ADD embedding text", "", "is text"),
        ("ADD embedding vector(8) NOT NULL DEFAULT '[1,1,1,1,1,1,1,1]'", "", "DROP NOT NULL"),
        ("ADD embedding vector(8) GENERATED ALWAYS AS (NULL) STORED", "", "is generated"),
        ("ADD other int", ", into_column => 'body'", "a key or a text column"),
        ("ADD other int", ", into_column => 'id'", "a key or a text column"),
        ("ADD other int", ", chunk_tokens => 64", "exclude each other"),
    ],
)
def test_a_column_that_cannot_be_written_is_refused(
    documents: psycopg.Connection, prepare: str, options: str, says: str
) -> None:
    documents.execute(f"ALTER TABLE documents {prepare}".encode())
    into = "" if "into_column" in options else ", into_column => 'embedding'"
    with pytest.raises(psycopg.Error, match=says) as caught:
        documents.execute(f"SELECT rowvec.watch('documents', 'body'{into}{options})".encode())
    assert caught.value.diag.message_hint
    assert value(documents, "SELECT count(*) FROM rowvec_internal.source") == 0


def test_two_sources_do_not_share_a_column(watched: psycopg.Connection, database_url: str) -> None:
    with pytest.raises(psycopg.errors.DuplicateObject, match="another source"):
        watched.execute("SELECT rowvec.watch('documents', 'title', name => 'two', into_column => 'embedding')")
    watched.execute("SELECT rowvec.watch('documents', 'title', name => 'two', into_column => 'title_vector')")
    encoder = HashEncoder()
    with daemon(database_url, encoder):
        assert_in_step(watched, "documents", 2)
        assert_in_step(watched, "two", 3)
        assert value(watched, LOGGED) == 0
    assert sum(map(len, encoder.calls)) == 5


# What users do beside


def tries(encoder: HashEncoder) -> int:
    """How often the text of row 1 has been encoded."""
    return sum("one" in call for call in encoder.calls)


def test_a_locked_row_waits_and_nothing_else_does(watched: psycopg.Connection, database_url: str) -> None:
    encoder = HashEncoder()
    with daemon(database_url, encoder, poll_seconds=60.0), psycopg.connect(database_url) as other:
        wait(watched, "documents")
        watched.execute("SET lock_timeout = '100ms'")
        other.execute("SELECT FROM documents WHERE id = 1 FOR UPDATE")
        watched.execute("INSERT INTO documents (body) VALUES ('x')")
        watched.execute("UPDATE documents SET body = 'new ' || id, embedding = NULL WHERE id > 1")
        with watched.transaction():  # as a trigger would, had it seen a text change just before the lock
            watched.execute("SET LOCAL session_replication_role = replica")
            watched.execute("UPDATE rowvec.documents_vectors SET _hash = 'old', _sum = 'old' WHERE id = 1")
            watched.execute("INSERT INTO rowvec_internal.change (source_id, keys) VALUES (1, '{4,1,2}')")
        encoder.calls.clear()
        started = time.monotonic()
        watched.execute("SELECT rowvec_internal.ring()")
        until(watched, "SELECT string_agg(keys::text, ' ') FROM rowvec_internal.change", "{1}")
        eventually(lambda: tries(encoder) >= 4)  # it is tried again without a ring, and after 0.3 s at the soonest
        assert time.monotonic() - started >= 0.3 * (tries(encoder) - 2)
        assert value(watched, "SELECT sum(attempts)::int FROM rowvec_internal.change WHERE daemon_id IS NULL") in (
            0,
            None,
        )
        other.commit()
        assert_in_step(watched, "documents", 4)


def test_it_never_triggers_itself(watched: psycopg.Connection, plain_url: str) -> None:
    encoder = HashEncoder()
    with daemon(plain_url, encoder):
        assert_in_step(watched, "documents", 2)
        watched.execute("UPDATE documents SET body = body || '!'")
        assert_in_step(watched, "documents", 2)
        assert value(watched, LOGGED) == 0
    assert sorted(text for call in encoder.calls for text in call) == ["one", "one!", "two", "two!"]


OTHERS: dict[str, Callable[[psycopg.Connection], object]] = {
    "an ORM writes an old vector back": lambda c: c.execute(
        "UPDATE documents SET title = 'x', body = body, embedding = '[1,2,3,4,5,6,7,8]' WHERE id = 1"
    ),
    "an ORM that had read no vector": lambda c: c.execute(
        "UPDATE documents SET views = 1, embedding = NULL WHERE id = 1"
    ),
    "a row without a text": lambda c: c.execute("UPDATE documents SET embedding = '[1,2,3,4,5,6,7,8]' WHERE id = 3"),
    "a new row with a vector": lambda c: c.execute(
        "INSERT INTO documents (body, embedding) VALUES ('new', '[1,2,3,4,5,6,7,8]')"
    ),
    "on conflict": lambda c: c.execute(
        "INSERT INTO documents (id, body, embedding) OVERRIDING SYSTEM VALUE VALUES (1, 'one', '[8,7,6,5,4,3,2,1]')"
        " ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding"
    ),
    "rows that trade their vectors": lambda c: c.execute(
        "UPDATE documents d SET embedding = o.embedding FROM documents o WHERE d.id + o.id = 3"
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_others_write_into_the_column_is_put_right(
    watched: psycopg.Connection, database_url: str, what: str
) -> None:
    with daemon(database_url):
        assert_in_step(watched, "documents")
        OTHERS[what](watched)
        assert_in_step(watched, "documents")


def test_other_columns_and_equal_vectors_log_nothing(watched: psycopg.Connection, database_url: str) -> None:
    with daemon(database_url):
        wait(watched, "documents")
    watched.execute("UPDATE documents SET views = views + 1")
    watched.execute("UPDATE documents SET views = views + 1, body = body, embedding = embedding")
    watched.execute("UPDATE documents SET embedding = (embedding::text)::vector")
    assert value(watched, LOGGED) == 0
    watched.execute("UPDATE documents SET body = 'b', embedding = NULL WHERE id = 1")  # one change, not two
    assert value(watched, LOGGED) == 1


def test_what_no_trigger_saw_is_found(watched: psycopg.Connection, database_url: str) -> None:
    """As by logical replication, or with triggers disabled: verify and the recheck know the vector by its checksum."""
    with daemon(database_url):
        assert_in_step(watched, "documents")
        with watched.transaction():
            watched.execute("SET LOCAL session_replication_role = replica")
            watched.execute("UPDATE documents SET embedding = '[1,2,3,4,5,6,7,8]'")
        report = verify(watched, sources.find(watched, "documents"))
        assert (report.stale, report.missing, report.rows) == (3, 0, 3)
        watched.execute("SELECT rowvec.recheck('documents')")
        assert_in_step(watched, "documents")
        with watched.transaction():
            watched.execute("SET LOCAL session_replication_role = replica")
            watched.execute("UPDATE documents SET embedding = NULL")
        assert verify(watched, sources.find(watched, "documents"), repair=True).missing == 2
        assert_in_step(watched, "documents")
        assert verify(watched, sources.find(watched, "documents")).ok


def test_unwatched_and_watched_again_no_row_is_written(watched: psycopg.Connection, database_url: str) -> None:
    with daemon(database_url):
        wait(watched, "documents")
        places = watched.execute("SELECT ctid::text FROM documents ORDER BY id").fetchall()
        watched.execute("SELECT rowvec.unwatch('documents'); DROP TABLE rowvec.documents_vectors")
        watched.execute(WATCH.encode())
        assert_in_step(watched, "documents", 2)
    assert watched.execute("SELECT ctid::text FROM documents ORDER BY id").fetchall() == places


def test_keys_of_a_change_that_fails_in_part_are_not_lost(
    watched: psycopg.Connection, make_change_log: MakeChangeLog
) -> None:
    """A row is locked, another one's text fails, both in one change: the failure keeps only its own key."""
    watched.execute("DELETE FROM rowvec_internal.backfill")
    watched.execute("INSERT INTO rowvec_internal.change (source_id, keys) VALUES (1, '{1,2}')")
    change_log, source = make_change_log(), sources.find(watched, "documents")
    claims = claim(change_log, source)
    with psycopg.connect(watched.info.dsn, password=watched.info.password) as other:
        other.execute("SELECT FROM documents WHERE id = 1 FOR UPDATE")
        work = plan(source, Lane.LIVE, claims)
        done, poison = embed(work, HashEncoder()), next(text for text in work.texts if text.text == "two")
        results = [result for result in done.results if result.claim is not poison.claim]
        failure = Failure(poison.claim, "poison", 3, poison.hash)
        unfinished = frozenset({poison.claim.change})
        acked = change_log.ack(source, Lane.LIVE, work.changes, results, done.matrix, unfinished=unfinished)
        change_log.fail(source, Lane.LIVE, [failure])
        assert (acked.changes, acked.keys, acked.released) == (0, 0, 1)
        assert acked.again_seconds is not None
    keys = watched.execute("SELECT keys FROM rowvec_internal.change ORDER BY keys").fetchall()
    assert keys == [(["1"],), (["2"],)]


# Their triggers


def touching(connection: psycopg.Connection, when: str = "") -> None:
    connection.execute("ALTER TABLE documents ADD updated_at int DEFAULT 0; CREATE TABLE statements (n int)")
    connection.execute(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.updated_at := OLD.updated_at + 1; RETURN NEW; END'"
    )
    connection.execute(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " 'BEGIN INSERT INTO statements VALUES (1); RETURN NULL; END'"
    )
    connection.execute(
        f"CREATE TRIGGER touch BEFORE UPDATE ON documents FOR EACH ROW {when} EXECUTE FUNCTION touch()".encode()
    )
    for moment in ("BEFORE", "AFTER"):
        trigger = (
            f"CREATE TRIGGER note_{moment} {moment} UPDATE ON documents FOR EACH STATEMENT EXECUTE FUNCTION note()"
        )
        connection.execute(trigger.encode())


TOUCHED = "SELECT sum(updated_at)::int FROM documents"


def test_a_superusers_daemon_fires_none_of_their_triggers(watched: psycopg.Connection, database_url: str) -> None:
    touching(watched)
    with daemon(database_url):
        assert_in_step(watched, "documents", 2)
    assert value(watched, TOUCHED) == 0
    assert value(watched, "SELECT count(*) FROM statements") == 0


@pytest.mark.parametrize("granted", [True, False])
def test_who_may_set_the_replication_role_fires_none(
    watched: psycopg.Connection, plain_url: str, granted: bool
) -> None:
    touching(watched)
    if granted:
        watched.execute(f"GRANT SET ON PARAMETER session_replication_role TO {watched.info.dbname}_daemon".encode())
    with daemon(plain_url):
        assert_in_step(watched, "documents", 2)
    assert value(watched, TOUCHED) == (0 if granted else 2)


def test_a_when_clause_keeps_updated_at_still(watched: psycopg.Connection, plain_url: str) -> None:
    touching(watched, "WHEN (current_setting('rowvec.writing', true) IS DISTINCT FROM 'on')")
    with daemon(plain_url):
        assert_in_step(watched, "documents", 2)
        watched.execute("UPDATE documents SET title = 'x' WHERE id = 1")
    assert value(watched, TOUCHED) == 1


def test_a_trigger_of_theirs_that_waits_holds_up_one_row_only(watched: psycopg.Connection, plain_url: str) -> None:
    watched.execute("CREATE TABLE totals (n int); INSERT INTO totals VALUES (0)")
    watched.execute("INSERT INTO documents (body) SELECT 'text ' || g FROM generate_series(4, 40) g")
    watched.execute(
        "CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " 'BEGIN IF NEW.id = 7 THEN UPDATE totals SET n = n + 1; END IF; RETURN NEW; END'"
    )
    watched.execute("CREATE TRIGGER count_it BEFORE UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION count_it()")
    with psycopg.connect(watched.info.dsn, password=watched.info.password) as other:
        other.execute("UPDATE totals SET n = 0")
        with daemon(plain_url, poll_seconds=0.2):
            until(watched, "SELECT count(*)::int FROM documents WHERE embedding IS NOT NULL", 38)
            until(watched, "SELECT keys::text FROM rowvec_internal.change", "{7}")
            other.commit()
            assert_in_step(watched, "documents", 39)


# Drift


def resolved(connection: psycopg.Connection) -> object:
    return value(connection, "SELECT rowvec_internal.resolve(id) FROM rowvec_internal.source")


def test_a_renamed_column_is_followed(watched: psycopg.Connection, database_url: str) -> None:
    with daemon(database_url):
        wait(watched, "documents")
        watched.execute("ALTER TABLE documents RENAME embedding TO meaning")
        assert resolved(watched) is None
        watched.execute("UPDATE documents SET body = 'after', meaning = NULL WHERE id = 1")
        assert_in_step(watched, "documents", 2)
        assert value(watched, "SELECT into_column FROM rowvec_internal.source") == "meaning"


def test_a_dropped_column_harms_no_writer_and_comes_back(watched: psycopg.Connection, database_url: str) -> None:
    with daemon(database_url):
        wait(watched, "documents")
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            watched.execute("ALTER TABLE documents DROP embedding")
        watched.execute("ALTER TABLE documents DROP embedding CASCADE")
        watched.execute("UPDATE documents SET body = 'meanwhile' WHERE id = 1")
        watched.execute("INSERT INTO documents (body) VALUES ('new')")
        assert resolved(watched) == 'column "embedding" is gone'
        assert value(watched, "SELECT state FROM rowvec.status") == "broken"
        watched.execute("ALTER TABLE documents ADD embedding vector(8)")
        assert resolved(watched) is None
        watched.execute(
            "UPDATE documents SET embedding = '[1,2,3,4,5,6,7,8]' WHERE id = 1"
        )  # its trigger is there again
        assert_in_step(watched, "documents", 3)


def test_another_type_by_pause_and_resume(watched: psycopg.Connection, database_url: str) -> None:
    with daemon(database_url):
        wait(watched, "documents")
        watched.execute("SELECT rowvec.pause('documents')")
        watched.execute("ALTER TABLE documents ALTER embedding TYPE halfvec(8)")
        watched.execute("SELECT rowvec.resume('documents')")
        assert_in_step(watched, "documents", 2)
        watched.execute("SELECT rowvec.pause('documents')")
        watched.execute("ALTER TABLE documents ALTER embedding TYPE text")
        watched.execute("SELECT rowvec.resume('documents')")
        assert "must be vector(8) or halfvec(8)" in str(resolved(watched))
        watched.execute("UPDATE documents SET body = 'still' WHERE id = 1")


def test_a_role_that_may_not_write_the_column(watched: psycopg.Connection, plain_url: str) -> None:
    role = f"{watched.info.dbname}_daemon"
    watched.execute(f"REVOKE UPDATE (embedding) ON documents FROM {role}".encode())
    with daemon(plain_url):
        until(watched, "SELECT problem LIKE '%GRANT UPDATE (embedding)%' FROM rowvec.status", True)
        watched.execute(f"GRANT UPDATE (embedding) ON documents TO {role}".encode())
        assert_in_step(watched, "documents", 2)


def test_partitions(documents: psycopg.Connection, database_url: str) -> None:
    documents.execute("CREATE TABLE parts (id int, body text, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    documents.execute("CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (100)")
    documents.execute("CREATE TABLE high PARTITION OF parts FOR VALUES FROM (100) TO (1000)")
    documents.execute("INSERT INTO parts SELECT g, 'text ' || g FROM generate_series(50, 149) g")
    documents.execute("SELECT rowvec.watch('parts', 'body', into_column => 'embedding')")
    with daemon(database_url):
        assert_in_step(documents, "parts", 100)
        documents.execute("UPDATE parts SET id = id + 500 WHERE id < 60")
        documents.execute("UPDATE high SET embedding = NULL WHERE id = 120")
        documents.execute("UPDATE low SET body = 'direct', embedding = '[1,1,1,1,1,1,1,1]' WHERE id = 60")
        assert_in_step(documents, "parts", 100)


def test_the_page(documents: psycopg.Connection, database_url: str) -> None:
    """What docs/how-to/vectors-in-your-own-table.md says runs as it stands there, but for the model's size."""
    role = f"{documents.info.dbname}_page"
    documents.execute(f"CREATE ROLE {role}".encode())
    documents.execute("ALTER TABLE documents ADD updated_at int DEFAULT 0")
    documents.execute(
        "CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.updated_at := OLD.updated_at + 1; RETURN NEW; END'"
    )
    documents.execute("INSERT INTO documents (body) VALUES ('one'), ('two')")
    page = PAGE.read_text().replace("384", "8").replace("rowvec_daemon", role)
    blocks = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 6
    with daemon(database_url):
        for block in blocks:
            documents.execute(block.encode())
            assert_in_step(documents, "documents", 2)
    assert value(documents, TOUCHED) == 0
    assert "halfvec" in str(value(documents, "SELECT pg_typeof(embedding)::text FROM documents LIMIT 1"))
    documents.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_values_beyond_halfvec_fail_by_themselves(documents: psycopg.Connection, database_url: str) -> None:
    class Large(HashEncoder):
        def encode(self, texts, *, prompt="", urgent=False, truncated=None):  # type: ignore[no-untyped-def]
            matrix = super().encode(texts, prompt=prompt, urgent=urgent, truncated=truncated)
            matrix[[text == "large" for text in texts]] = 1e6
            return matrix

    documents.execute("ALTER TABLE documents ADD embedding halfvec(8)")
    documents.execute("INSERT INTO documents (body) VALUES ('large'), ('small')")
    documents.execute(WATCH.encode())
    with daemon(database_url, Large(), max_attempts=1):
        until(documents, "SELECT count(*)::int FROM rowvec_internal.dead", 1)
        assert "65504" in str(value(documents, "SELECT error FROM rowvec.errors"))
        wait(documents, "documents")
    assert differences(documents, "documents") == ["missing (1)(1)"] or value(documents, LOGGED) == 0
    assert value(documents, "SELECT count(*) FROM documents WHERE embedding IS NOT NULL") == 1


def test_a_backfill_of_what_is_right_writes_nothing(
    watched: psycopg.Connection, make_change_log: MakeChangeLog
) -> None:
    watched.execute("DELETE FROM rowvec_internal.backfill")
    watched.execute("INSERT INTO rowvec_internal.change (source_id, keys) VALUES (1, '{1,2,3}')")
    change_log, source = make_change_log(), sources.find(watched, "documents")
    finish(change_log, source, claim(change_log, source))
    places = watched.execute("SELECT ctid::text FROM documents").fetchall()
    for lane in Lane:
        watched.execute(
            "INSERT INTO rowvec_internal.change (source_id, lane, keys) VALUES (1, %s, '{1,2,3}')", (int(lane),)
        )
        finish(change_log, source, claim(change_log, source, lane), lane)
    assert watched.execute("SELECT ctid::text FROM documents").fetchall() == places
    assert value(watched, LOGGED) == 0
