"""rowvec.embed: a text becomes a vector inside a SELECT; no daemon is a clear error in time."""

from __future__ import annotations

import threading
import time

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from psycopg import IsolationLevel

from rowvec.database.vectors import vector_text
from rowvec.search.query_server import QueryServer
from tests.checking import until
from tests.fix_search import FakeEncoder


def as_array(text: str) -> NDArray[np.float32]:
    return np.array(text.strip("[]").split(","), dtype=np.float32)


def embed(connection: psycopg.Connection, text: str) -> str:
    row = connection.execute("SELECT rowvec.embed(%s)::text", (text,)).fetchone()
    assert row is not None
    found: str = row[0]
    return found


@pytest.mark.usefixtures("query_server")
def test_a_text_becomes_its_vector_with_the_query_prompt(connection: psycopg.Connection, encoder: FakeEncoder) -> None:
    text = "fish & chips\n'\\"
    assert np.array_equal(as_array(embed(connection, text)), encoder.vector(text))
    assert encoder.calls == [("query: ", text)]


@pytest.mark.usefixtures("query_server")
@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_at_any_isolation_level_and_in_a_read_only_transaction(
    database_url: str, encoder: FakeEncoder, level: IsolationLevel
) -> None:
    with psycopg.connect(database_url) as other:
        other.isolation_level = level
        other.read_only = True
        assert np.array_equal(as_array(embed(other, "one")), encoder.vector("one"))
        embed(other, "two")


@pytest.mark.usefixtures("query_server")
def test_a_text_asked_again_comes_from_the_cache(connection: psycopg.Connection, encoder: FakeEncoder) -> None:
    first = embed(connection, "again")
    until(connection, "SELECT count(*) FROM rowvec_internal.query_cache", 1)  # the answer goes out before it is written
    assert embed(connection, "again") == first
    assert encoder.calls == [("query: ", "again")]
    assert connection.execute("SELECT last_value, is_called FROM rowvec_internal.query_hits").fetchone() == (1, True)
    assert connection.execute("SELECT rowvec_internal.sweep_queries(0)").rowcount == 1
    embed(connection, "again")
    assert len(encoder.calls) == 2


@pytest.mark.usefixtures("model_id", "way")
def test_no_daemon_is_a_clear_error_in_time(connection: psycopg.Connection) -> None:
    connection.execute("SET rowvec.query_timeout = '300 ms'")
    begin = time.monotonic()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as caught:
        embed(connection, "nobody hears me")
    assert time.monotonic() - begin < 3
    assert "no daemon" in str(caught.value)
    assert "rowvec daemon" in (caught.value.diag.message_hint or "")


@pytest.mark.usefixtures("query_server")
def test_a_daemon_that_is_gone_is_noticed_before_the_timeout(
    connection: psycopg.Connection, query_server: QueryServer
) -> None:
    embed(connection, "it worked once")
    query_server.stop()
    connection.execute("SET rowvec.query_timeout = '60 s'")
    begin = time.monotonic()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no daemon is there"):
        embed(connection, "and now")
    assert time.monotonic() - begin < 10


@pytest.mark.usefixtures("query_server")
def test_a_cancel_works_at_once(connection: psycopg.Connection, database_url: str, encoder: FakeEncoder) -> None:
    encoder.gate.clear()
    connection.execute("SET rowvec.query_timeout = '60 s'")
    begin = time.monotonic()
    timer = threading.Timer(0.3, connection.cancel_safe)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        embed(connection, "slow")
    assert time.monotonic() - begin < 3
    timer.join()
    encoder.gate.set()
    assert np.array_equal(as_array(embed(connection, "quick")), encoder.vector("quick"))


@pytest.mark.usefixtures("query_server")
def test_a_text_that_fails_harms_only_itself(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.ExternalRoutineException, match="not finite"):
        embed(connection, "unspeakable")
    embed(connection, "fine")


@pytest.mark.usefixtures("model_id")
def test_wrong_arguments_get_one_clear_line(connection: psycopg.Connection) -> None:
    for statement, word in {
        "SELECT rowvec.embed('  ')": "blank",
        "SELECT rowvec.embed('x', source => 'nowhere')": "no source",
        "SELECT rowvec.embed('x', model => 'nothing')": "no model",
    }.items():
        with pytest.raises(psycopg.Error, match=word):
            connection.execute(statement)
    assert connection.execute("SELECT rowvec.embed(NULL)").fetchone() == (None,)


@pytest.mark.usefixtures("query_server")
def test_many_sessions_at_once(database_url: str, encoder: FakeEncoder) -> None:
    wrong: list[str] = []

    def ask(number: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as own:
            for turn in range(5):
                text = f"text {number} {turn}"
                if not np.array_equal(as_array(embed(own, text)), encoder.vector(text)):
                    wrong.append(text)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_vector_as_text_comes_back_bit_by_bit() -> None:
    values = np.random.default_rng(1).standard_normal(1000).astype(np.float32) * np.float32(1e-3)
    assert np.array_equal(as_array(vector_text(values)), values)


@pytest.mark.usefixtures("way")
def test_the_connection_may_be_cut(database_url: str, encoder: FakeEncoder, model_id: int) -> None:
    queries = QueryServer(database_url, lambda _id: encoder, lambda: [model_id])
    queries.start()
    try:
        assert queries.wait_ready(20)
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919907702"
            )
            embed(other, "after the cut")
    finally:
        queries.stop()
