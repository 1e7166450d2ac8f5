"""The mailbox: requests by inotify or, where the kernel gives no watch, by polling; any other file is removed."""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path

import numpy as np
import psycopg
import pytest

from rowvec.search import mailbox
from rowvec.search.mailbox import Mailbox
from rowvec.search.query_server import QueryServer
from rowvec.search.requests import Request
from tests.fix_search import FakeEncoder
from tests.search.test_embed import as_array, embed

ASKED = {"model": 1, "prompt": "query: ", "query": "cats", "source": None}


def no_watch(folder: Path) -> None:
    raise OSError(errno.EMFILE, "Too many open files", str(folder))


def put(folder: Path, name: str, content: str) -> None:
    (folder / f"{name}.ask").write_text(content, encoding="ascii")


def test_without_a_watch_the_folder_is_polled(
    connection: psycopg.Connection,
    database_url: str,
    encoder: FakeEncoder,
    model_id: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(mailbox, "_Inotify", no_watch)
    server = QueryServer(database_url, lambda _id: encoder, lambda: [model_id])
    server.start()
    try:
        assert server.wait_ready(20)
        if connection.execute("SELECT way FROM rowvec_internal.query_way()").fetchone() != ("mailbox",):
            pytest.skip("this server's files are not ours to read")
        for text in ("cats", "dogs"):
            assert np.array_equal(as_array(embed(connection, text)), encoder.vector(text))
    finally:
        server.stop()
    if sys.platform == "linux":
        assert "polled" in caplog.text


@pytest.mark.parametrize("watched", [True, False])
def test_requests_are_taken_whole_or_not_at_all(tmp_path: Path, watched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not watched:
        monkeypatch.setattr(mailbox, "_Inotify", no_watch)
    box = Mailbox(tmp_path)
    try:
        assert (box.fileno is not None) == (watched and sys.platform == "linux")
        assert not box.has_requests()
        whole = json.dumps(ASKED).encode().hex()
        put(tmp_path, "half", whole[:20])
        put(tmp_path, "rubbish", "no hex at all.")
        put(tmp_path, "whole", whole + ".\n")
        assert box.has_requests()
        assert box.take() == [Request("whole", 1, "query: ", "cats", None)]
        assert [path.name for path in tmp_path.iterdir()] == ["half.ask"]
        put(tmp_path, "half", whole + ".\n")
        [request] = box.take()
        box.answer([(request, "[1,2]")])
        assert (tmp_path / "half.answer").read_text() == "[1,2]."
        assert not box.has_requests()
    finally:
        box.close()
