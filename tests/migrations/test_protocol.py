"""A daemon of another protocol than the schema's says so in one line and ends, and takes nothing."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

import rowvec_migrations
from rowvec.cli.main import main
from rowvec.daemon.daemon import Daemon
from rowvec.database import sources
from rowvec.database.protocol import PROTOCOL
from rowvec.errors import ProtocolMismatch
from rowvec.flow.records import Lane
from rowvec.settings import Settings
from tests.checking import until
from tests.fakes import HashEncoder
from tests.fix_documents import MakeChangeLog

SET = "UPDATE rowvec_internal.protocol SET number = %s"


def test_the_schema_and_this_version_speak_one_protocol(connection: psycopg.Connection) -> None:
    assert connection.execute("SELECT number FROM rowvec_internal.protocol").fetchall() == [(PROTOCOL,)]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (PROTOCOL + 1, r"older than the schema\. Upgrade rowvec here"),
        (PROTOCOL - 1, r"newer than the schema\. Run `rowvec migrate`"),
    ],
)
def test_it_says_what_to_do_in_one_line(
    documents: psycopg.Connection,
    database_url: str,
    number: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents.execute(SET, (number,))
    monkeypatch.setenv("ROWVEC_DATABASE_URL", database_url)
    monkeypatch.setattr("sys.argv", ["rowvec", "daemon", "--once"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("rowvec:")]
    assert len(lines) == 1
    assert re.search(said, lines[0])
    assert documents.execute("SELECT count(*) FROM rowvec_internal.daemon").fetchone() == (0,)
    rowvec_migrations.upgrade(database_url)  # sets the number of this version
    assert documents.execute("SELECT number FROM rowvec_internal.protocol").fetchall() == [(PROTOCOL,)]


def test_a_running_daemon_ends_when_the_schema_moves_on(documents: psycopg.Connection, database_url: str) -> None:
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    running = Daemon(database_url, Settings(), lambda _: HashEncoder())
    with ThreadPoolExecutor(1) as threads:
        ended = threads.submit(running.run)
        until(documents, "SELECT count(*) FROM rowvec_internal.daemon", 1)
        documents.execute(SET, (PROTOCOL + 1,))
        with pytest.raises(ProtocolMismatch, match="older than the schema"):
            ended.result(timeout=60)
    assert documents.execute("SELECT count(*) FROM rowvec_internal.daemon").fetchone() == (0,)  # a graceful end


@pytest.mark.parametrize("number", [PROTOCOL - 1, PROTOCOL + 1])
def test_a_claim_of_another_protocol_takes_nothing(
    documents: psycopg.Connection, make_change_log: MakeChangeLog, number: int
) -> None:
    documents.execute("SELECT rowvec.watch('documents', 'body')")
    documents.execute("INSERT INTO documents (body) VALUES ('one')")
    queue, source = make_change_log(), sources.find(documents, "documents")
    documents.execute(SET, (number,))
    assert queue.claim(source, Lane.LIVE, texts=10, changes=10) == []
    assert documents.execute("SELECT attempts, daemon_id FROM rowvec_internal.change").fetchall() == [(0, None)]
    documents.execute(SET, (PROTOCOL,))
    assert [claim.text for claim in queue.claim(source, Lane.LIVE, texts=10, changes=10)] == ["one"]


def test_a_daemon_on_a_database_without_the_schema_says_migrate(empty_database_url: str) -> None:
    with pytest.raises(Exception, match="does not exist") as caught:
        Daemon(empty_database_url, Settings(), lambda _: HashEncoder()).run()
    assert not isinstance(caught.value, ProtocolMismatch)
    assert "rowvec migrate" in str(getattr(caught.value, "hint", ""))
