"""Answers the texts that SQL functions want as vectors: from the query table (the loop-back way) and from the mailbox.

One thread, one autocommit connection that LISTENs on `rowvec_query`. A SELECT cannot call a daemon through its own
transaction, since a NOTIFY is sent at commit; docs/explanation/text-to-vector.md shows both ways around that.
The notification is a wake-up only: the table is looked at every `poll_seconds` as well.
"""

from __future__ import annotations

import logging
import math
import select
import socket
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import numpy as np
import psycopg
from numpy.typing import NDArray

from rowvec.database.connection import Link, Session
from rowvec.database.translate import translated
from rowvec.database.vectors import VectorArray
from rowvec.errors import EncodingError, RowvecError, one_line
from rowvec.search.mailbox import POLL_SECONDS, Mailbox
from rowvec.search.requests import Answer, QueryTable, Request

CHANNEL = "rowvec_query"
LOCK_CLASS = 0x726F7776  # 'rowv'; rowvec_internal.listens() looks for these two advisory locks
LOCK_LISTENS, LOCK_MAILBOX = 1, 2
SWEEP_SECONDS = 30.0

log = logging.getLogger("rowvec.queries")


class QueryEncoder(Protocol):
    """The part of an encoder that a query needs."""

    def encode(self, texts: Sequence[str], *, prompt: str = "", urgent: bool = False) -> NDArray[np.float32]:
        """Return float32 (len(texts), dims)."""


class QueryServer:
    """Answers requests until stopped; connects again whenever the connection is lost."""

    def __init__(
        self,
        url: str,
        encoders: Callable[[int], QueryEncoder],
        models: Callable[[], Collection[int]],
        *,
        preview: Callable[[int, str], str] | None = None,
        poll_seconds: float = 1.0,
        cached_queries: int = 10_000,
    ) -> None:
        """Take the URL of a direct connection (no transaction pooler), and the encoder of each model id that is served.

        `models` is asked before each look at the table, so a model that the daemon has just loaded is served at once.
        `preview` gives as JSON how a source (by its id) splits a text.
        An exception of `encoders` or `preview` becomes the error of the SELECT.
        """
        self._encoders, self._models, self._preview = encoders, models, preview
        self._poll_seconds, self._cached_queries = poll_seconds, cached_queries
        self._stop, self._ready = threading.Event(), threading.Event()
        self._link = Link(url, "rowvec queries", self._stop)
        self._rung = False
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="rowvec-queries", daemon=True)

    def start(self) -> None:
        """Start the thread, which connects by itself."""
        self._thread.start()

    def wait_ready(self, timeout: float) -> bool:
        """Wait until queries are answered; return whether they are."""
        return self._ready.wait(timeout)

    def stop(self) -> None:
        """Answer what is at hand, close the connection and end the thread; the second time, do nothing."""
        if not self._stop.is_set():
            self._stop.set()
            self._waker.send(b"x")
            if self._thread.ident is not None:
                self._thread.join()
            self._wake.close()
            self._waker.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with translated():
                    self._serve(self._link.get())
            except Exception as error:  # of whatever kind: a new connection may work
                if not isinstance(error, RowvecError | OSError):
                    log.exception("queries: an unexpected error")
                self._link.lost(error)
        self._link.close()

    def _serve(self, connection: Session) -> None:
        if connection.pooled:  # a lock or a LISTEN would stay behind in the pooler's own connection
            log.warning("queries: not answered through a pooler; name a direct connection in ROWVEC_LISTEN_URL")
            self._stop.wait()
            return
        connection.prepare_threshold = 0  # the same few statements each time
        connection.add_notify_handler(self._ring)
        connection.execute(f"LISTEN {CHANNEL}")
        mailbox = Mailbox.open(connection)
        table = QueryTable(connection, self._models, self._cached_queries)
        ways: list[Mailbox | QueryTable] = [mailbox, table] if mailbox else [table]
        try:
            for lock in (LOCK_LISTENS, LOCK_MAILBOX)[: len(ways)]:
                connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (LOCK_CLASS, lock))
            log.info("queries: listening%s", f", mailbox {mailbox.folder}" if mailbox else "")
            self._ready.set()
            swept = -math.inf
            while not self._stop.is_set():
                self._rung = False  # before looking: a request that comes while we look rings again
                for way in ways:
                    self._answer(connection, way)
                if time.monotonic() - swept > SWEEP_SECONDS:
                    for way in ways:
                        way.sweep()
                    connection.execute("SELECT rowvec_internal.keep_in_step()")
                    swept = time.monotonic()
                self._sleep(connection, mailbox)
        finally:
            self._ready.clear()
            if mailbox:
                mailbox.close()

    def _ring(self, _notification: psycopg.Notify) -> None:
        self._rung = True

    def _sleep(self, connection: Session, mailbox: Mailbox | None) -> None:
        """Return when a notification, a file or stop() comes, and at the latest when the table is to be looked at.

        A notification may have been read with the answer of a statement (the handler notes it), or lie unparsed in
        libpq's buffer, where no select() sees it: 1 query in 100 then waited for the poll.
        """
        waits: list[int | socket.socket] = [connection.fileno(), self._wake]
        seconds = self._poll_seconds
        if mailbox and mailbox.fileno is not None:
            waits.append(mailbox.fileno)
        elif mailbox:
            seconds = POLL_SECONDS
        end = time.monotonic() + self._poll_seconds
        while not self._rung:
            connection.pgconn.consume_input()  # raises when the connection is dead
            if connection.pgconn.notifies():
                return
            readable, _, _ = select.select(waits, [], [], seconds)
            if readable and readable != [connection.fileno()]:
                return
            if time.monotonic() >= end or (mailbox and mailbox.fileno is None and mailbox.has_requests()):
                return

    def _answer(self, connection: Session, way: Mailbox | QueryTable) -> None:
        """Answer what waits: texts of one model and prompt together, a preview by itself."""
        while requests := way.take():
            groups: dict[object, list[Request]] = {}
            for request in requests:
                group = (request.model, request.prompt) if request.source is None else request.id
                groups.setdefault(group, []).append(request)
            for same in groups.values():
                if (source := same[0].source) is not None:
                    way.answer([(same[0], self._split(source, same[0].query))])
                    continue
                texts = [request.query for request in same]
                answers = self._encode(same[0].model, same[0].prompt, texts)
                way.answer(list(zip(same, answers, strict=True)))
                self._remember(connection, same[0], texts, answers)

    def _split(self, source: int, text: str) -> Answer:
        """Return as JSON how a source splits a text, or why it cannot be told."""
        try:
            if self._preview is None:
                raise EncodingError("this process cannot split texts")
            return self._preview(source, text)
        except Exception as error:  # becomes the error of the SELECT that asked
            return error

    def _encode(self, model: int, prompt: str, texts: Sequence[str]) -> list[Answer]:
        """Encode together; where that fails, one by one, so that a bad text harms only itself."""
        try:
            if model not in self._models():
                raise EncodingError(f"this daemon does not serve model {model}")
            return list(self._encoders(model).encode(texts, prompt=prompt, urgent=True))
        except Exception as error:  # becomes the error of the SELECT that asked
            if len(texts) > 1:
                return [self._encode(model, prompt, [text])[0] for text in texts]
            log.warning("queries: a text of %d characters failed: %s", len(texts[0]), one_line(error))
            return [error]

    def _remember(self, connection: Session, like: Request, texts: Sequence[str], answers: Sequence[Answer]) -> None:
        """Put the vectors into the cache, after the answers have gone out."""
        good = {text: answer for text, answer in zip(texts, answers, strict=True) if isinstance(answer, np.ndarray)}
        if good:
            connection.execute(
                "SELECT rowvec_internal.remember_queries(%s::smallint, %s, %s, %s)",
                (like.model, like.prompt, list(good), VectorArray(np.stack(list(good.values())))),
            )
