"""A failing row harms only itself: bisected, retried with back-off, buried with its error; the others are served."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from rowvec.database.text_hash import text_hash
from tests.checking import assert_in_step, differences, until, wait
from tests.fakes import HashEncoder
from tests.running import add_fake_model, daemon
from tests.storm import Nursery

MANY = "INSERT INTO docs SELECT g, 'text ' || g FROM generate_series(1, 600) g"


class BadModel(HashEncoder):
    """Gives NaN for texts that say so; with `broken`, fails on every text."""

    broken = False

    def encode(
        self,
        texts: Sequence[str],
        *,
        prompt: str = "",
        urgent: bool = False,
        truncated: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        if self.broken:
            raise RuntimeError("out of memory")
        matrix = super().encode(texts, prompt=prompt, urgent=urgent, truncated=truncated)
        for index, text in enumerate(texts):
            if "NaN" in text:
                matrix[index, 3] = np.nan
        return matrix


def test_texts_that_raise_or_give_nan_are_buried_alone(docs: psycopg.Connection, database_url: str) -> None:
    docs.execute(MANY)
    docs.execute("UPDATE docs SET body = 'RAISE poison' WHERE id = 77")
    docs.execute("UPDATE docs SET body = 'NaN poison' WHERE id = 78")
    encoder = BadModel(faults=True)
    with daemon(database_url, encoder, max_attempts=2, poll_seconds=0.1):
        wait(docs, "docs")
        assert sorted(differences(docs, "docs")) == ["missing (77)()", "missing (78)()"]
        rows = docs.execute(
            "SELECT key, state, attempts, error, text_length, length(text_hash) FROM rowvec.errors ORDER BY key"
        ).fetchall()
        assert rows == [
            ("77", "dead", 2, "RuntimeError: poison", 12, 32),
            ("78", "dead", 2, "UnencodableText: the vector has a number that is not within 3.40282e+38", 10, 32),
        ]
        docs.execute("UPDATE docs SET body = 'cured' WHERE id = 77")
        wait(docs, "docs")
        assert docs.execute("SELECT key FROM rowvec_internal.dead").fetchall() == [
            ("78",)
        ]  # a vector heals its dead letter
        encoder.encode = HashEncoder().encode  # type: ignore[method-assign]
        assert docs.execute("SELECT rowvec.retry('docs')").fetchone() == (1,)
        assert_in_step(docs, "docs", 600)
        assert docs.execute("SELECT count(*) FROM rowvec.errors").fetchone() == (0,)


@pytest.mark.parametrize(("daemons", "killers"), [(1, [300]), (2, [300, 301, 555])])
def test_a_text_that_kills_the_process_dies_alone(
    docs: psycopg.Connection, database_url: str, daemons: int, killers: list[int]
) -> None:
    docs.execute(
        MANY.replace("'text ' || g", f"CASE WHEN g IN ({str(killers)[1:-1]}) THEN 'KILL' ELSE 'text ' || g END")
    )
    settings: dict[str, object] = {"lease_seconds": 0.5, "poll_seconds": 0.1, "max_attempts": 4}
    with Nursery(database_url, settings, faults=True) as nursery:
        ended = b"SELECT EXISTS (SELECT FROM rowvec_internal.dead) AND NOT EXISTS (SELECT FROM rowvec_internal.change)"
        deaths = nursery.keep_alive_until(lambda: docs.execute(ended).fetchone() == (True,), daemons)
    assert 4 <= deaths <= 8 * len(killers)
    assert sorted(differences(docs, "docs")) == [f"missing ({key})()" for key in killers]
    rows = docs.execute("SELECT key, error FROM rowvec_internal.dead ORDER BY key").fetchall()
    assert rows == [(str(key), "the process died each time while it worked on this text") for key in killers]


def test_a_broken_model_charges_no_row(docs: psycopg.Connection, database_url: str) -> None:
    docs.execute("INSERT INTO docs SELECT g, 'text ' || g FROM generate_series(1, 20) g")
    encoder = BadModel()
    encoder.broken = True
    with daemon(database_url, encoder, max_attempts=1, poll_seconds=0.1):
        until(docs, "SELECT bool_and(daemon_id IS NULL AND visible_at > '-infinity') FROM rowvec_internal.change", True)
        assert docs.execute("SELECT max(attempts) FROM rowvec_internal.change").fetchone() == (0,)
        encoder.broken = False
        assert_in_step(docs, "docs", 20)
    assert docs.execute("SELECT count(*) FROM rowvec_internal.dead").fetchone() == (0,)


def test_a_full_disk_charges_no_row_and_stalls_no_other_source(docs: psycopg.Connection, database_url: str) -> None:
    docs.execute("CREATE TABLE other (id int PRIMARY KEY, body text)")
    docs.execute("SELECT rowvec.watch('other', 'body')")
    docs.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
    )
    docs.execute(
        "CREATE TRIGGER full_disk BEFORE INSERT ON rowvec.docs_vectors FOR EACH ROW EXECUTE FUNCTION full_disk()"
    )
    with daemon(database_url, max_attempts=1, poll_seconds=0.1):
        docs.execute("INSERT INTO docs SELECT g, 'text ' || g FROM generate_series(1, 20) g")
        docs.execute("INSERT INTO other SELECT g, 'text ' || g FROM generate_series(1, 20) g")
        assert_in_step(docs, "other", 20)
        charged = "SELECT count(*) FROM rowvec_internal.change WHERE daemon_id IS NULL AND attempts > 0"
        assert docs.execute(charged).fetchone() == (0,)
        docs.execute("DROP TRIGGER full_disk ON rowvec.docs_vectors")
        assert_in_step(docs, "docs", 20)
    assert docs.execute("SELECT count(*) FROM rowvec_internal.dead").fetchone() == (0,)


def test_two_models_two_daemons_each_for_its_own(docs: psycopg.Connection, database_url: str) -> None:
    """A daemon serves the models that it can load, and its claims never touch another model's changes."""
    add_fake_model(docs, "second", "two" * 20)
    docs.execute("SELECT rowvec.watch('docs', 'body', name => 'second', model => 'second')")
    docs.execute(MANY)
    first, second = HashEncoder(), HashEncoder()
    with daemon(database_url, first, serves="fake", poll_seconds=0.1):
        assert_in_step(docs, "docs", 600)
        assert docs.execute("SELECT count(*) FROM rowvec.second_vectors").fetchone() == (0,)
        with daemon(database_url, second, serves="second", poll_seconds=0.1):
            docs.execute("UPDATE docs SET body = 'changed' WHERE id < 50")
            assert_in_step(docs, "second", 600)
            assert_in_step(docs, "docs", 600)
    hashes = "SELECT count(*) FROM rowvec.docs_vectors a JOIN rowvec.second_vectors b USING (id, _hash)"
    assert docs.execute(hashes.encode()).fetchone() == (0,)  # another model's vector is never taken for ours


def test_a_clock_that_was_put_back_holds_nothing_for_ever(docs: psycopg.Connection, database_url: str) -> None:
    """To the database, a clock put back by a day is a log whose times lie a day ahead."""
    docs.execute("INSERT INTO docs SELECT g, 'text ' || g FROM generate_series(1, 20) g")
    docs.execute(
        "UPDATE rowvec_internal.change SET daemon_id = 999, attempts = 1, visible_at = now() + interval '1 day'"
    )
    docs.execute(
        "INSERT INTO rowvec_internal.daemon (id, name, pid, heartbeat_at) VALUES (999, 'elsewhere', 1, now() +"
        " interval '1 day')"
    )
    with daemon(database_url, poll_seconds=0.1):
        assert_in_step(docs, "docs", 20)


def test_a_hash_names_its_model() -> None:
    assert text_hash("same", b"one/fp32/") != text_hash("same", b"two/fp32/")
