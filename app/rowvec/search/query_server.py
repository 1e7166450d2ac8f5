"""Answers the texts that SQL functions want as vectors: over the query table (dblink's way) and over the mailbox.

One thread, one autocommit connection that LISTENs on `rowvec_query`. A SELECT cannot call a daemon through its own
transaction, since NOTIFY leaves at commit only; docs/explanation/text-to-vector.md draws both ways round that.
The notification is a wake-up only: the table is looked at every `poll_seconds` as well.
"""

from __future__ import annotations

import logging
import math
import select
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import psycopg
from numpy.typing import NDArray

from rowvec.database.vectors import VectorArray, register
from rowvec.errors import EncodingError, RowvecError, one_line
from rowvec.search.mailbox import Mailbox

CHANNEL = "rowvec_query"
LOCK_CLASS = 0x726F7776  # 'rowv'; rowvec_internal.listens() looks for these two advisory locks
LOCK_LISTENS, LOCK_MAILBOX = 1, 2
SWEEP_SECONDS = 30.0
BACKOFF_SECONDS = (0.1, 5.0)  # after a lost connection: the first pause, doubled up to the second

log = logging.getLogger("rowvec.queries")
Item = TypeVar("Item")


class QueryEncoder(Protocol):
    """The part of an encoder that a query needs."""

    def encode(self, texts: Sequence[str], *, prompt: str = "", urgent: bool = False) -> NDArray[np.float32]:
        """Return float32 (len(texts), dims)."""


Answer = NDArray[np.float32] | str  # a vector, or why there is none


class QueryServer:
    """Answers query texts until stopped; lives through a server that goes away."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        encoders: Callable[[int], QueryEncoder],
        models: Callable[[], Collection[int]],
        *,
        preview: Callable[[int, str], str] | None = None,
        poll_seconds: float = 1.0,
        cached_queries: int = 10_000,
    ) -> None:
        """Take how to connect (directly: no transaction pooler), and the encoder of each model id that is served.

        `models` is asked before each look at the table, so a daemon that has learnt a new model serves it at once.
        `preview` says as JSON how a source (by its id) cuts a text.
        `encoders` may raise a RowvecError: it becomes the error of the SELECT.
        """
        self._connect = connect
        self._encoders = encoders
        self._models = models
        self._preview = preview
        self._poll_seconds = poll_seconds
        self._cached_queries = cached_queries
        self._stopping = False
        self._served = False
        self._rung = False
        self._wake, self._waker = socket.socketpair()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rowvec-queries", daemon=True)

    def start(self) -> None:
        """Start the thread; it connects by itself, and again whenever the connection is lost."""
        self._thread.start()

    def wait_ready(self, timeout: float) -> bool:
        """Wait until queries are answered; return whether they are."""
        return self._ready.wait(timeout)

    def stop(self) -> None:
        """Answer what is at hand, close the connection and end the thread; the second time, do nothing."""
        if not self._stopping:
            self._stopping = True
            self._waker.send(b"x")
            if self._thread.ident is not None:
                self._thread.join()
            self._wake.close()
            self._waker.close()

    def _run(self) -> None:
        pause, longest = BACKOFF_SECONDS
        while not self._stopping:
            try:
                with self._connect() as connection:
                    connection.autocommit = True
                    self._serve(connection)
            except Exception as error:  # whatever it is, the next connection may be better
                if self._served:
                    pause, self._served = BACKOFF_SECONDS[0], False
                level = logging.WARNING if isinstance(error, (psycopg.Error, RowvecError, OSError)) else logging.ERROR
                log.log(level, "queries: %s; again in %.1f s", one_line(error), pause, exc_info=level == logging.ERROR)
                select.select([self._wake], [], [], pause)
                pause = min(pause * 2, longest)

    def _serve(self, connection: psycopg.Connection) -> None:
        if getattr(connection, "pooled", False):  # a lock or a LISTEN would stay behind in the pooler's own connection
            log.warning("queries: not answered through a pooler; name a direct connection in ROWVEC_LISTEN_URL")
            select.select([self._wake], [], [])
            return
        register(connection)
        connection.prepare_threshold = 0  # the same few statements all day, over a connection of our own
        connection.add_notify_handler(self._ring)
        connection.execute(f"LISTEN {CHANNEL}")
        mailbox = Mailbox.open(connection)
        try:
            connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (LOCK_CLASS, LOCK_LISTENS))
            if mailbox:
                connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (LOCK_CLASS, LOCK_MAILBOX))
            log.info("queries: listening%s", f", mailbox {mailbox.folder}" if mailbox else "")
            self._ready.set()
            self._served = True
            swept = -math.inf
            while not self._stopping:
                self._rung = False  # before looking: a request that comes while we look rings again
                if mailbox:
                    self._answer_letters(connection, mailbox)
                self._answer_rows(connection)
                if time.monotonic() - swept > SWEEP_SECONDS:
                    connection.execute("SELECT rowvec_internal.sweep_queries(%s)", (self._cached_queries,))
                    connection.execute("SELECT rowvec_internal.keep_in_step()")
                    if mailbox:
                        mailbox.sweep()
                    swept = time.monotonic()
                self._sleep(connection, mailbox)
        finally:
            self._ready.clear()
            if mailbox:
                mailbox.close()

    def _ring(self, _notification: psycopg.Notify | None = None) -> None:
        self._rung = True

    def _sleep(self, connection: psycopg.Connection, mailbox: Mailbox | None) -> None:
        """Return when a notification, a letter or stop() comes, and at the latest when the table is to be looked at.

        A notification may have been read with the answer of a statement (the handler notes it), or lie unparsed in
        libpq's buffer, where no select() sees it: 1 query in 100 then waited for the poll.
        """
        waits: list[int | socket.socket] = [connection.fileno(), self._wake]
        seconds = self._poll_seconds
        if mailbox and mailbox.fileno is not None:
            waits.append(mailbox.fileno)
        elif mailbox:
            seconds = mailbox.poll_seconds
        end = time.monotonic() + self._poll_seconds
        while not self._rung:
            connection.pgconn.consume_input()  # raises when the connection is dead
            if connection.pgconn.notifies():
                return
            readable, _, _ = select.select(waits, [], [], seconds)
            if readable and readable != [connection.fileno()]:
                return
            if time.monotonic() >= end or (mailbox and mailbox.fileno is None and mailbox.has_letters()):
                return

    def _answer_rows(self, connection: psycopg.Connection) -> None:
        while rows := connection.execute(
            "SELECT id, model_id, prompt, query, source_id FROM rowvec_internal.claim_queries(%s::smallint[])",
            (list(self._models()),),
        ).fetchall():
            for id_, _model, _prompt, text, source in rows:
                if source is not None:
                    said = self._chunks(source, text)
                    function = "fail_query" if said.startswith("!") else "answer_preview"
                    values = (id_, said.removeprefix("!"))
                    connection.execute(f"SELECT rowvec_internal.{function}(%s, %s)".encode(), values)
                    connection.execute("SELECT rowvec_internal.release_queries(%s)", ([id_],))
            for (model, prompt), group in _groups((row[1], row[2], row) for row in rows if row[4] is None).items():
                texts = [row[3] for row in group]
                answers = self._encode(model, prompt, texts)
                found = [(row[0], answer) for row, answer in zip(group, answers, strict=True)]
                with connection.pipeline() as pipeline:  # one round trip
                    if good := [(id_, answer) for id_, answer in found if isinstance(answer, np.ndarray)]:
                        good_values = ([id_ for id_, _ in good], VectorArray(np.stack([vector for _, vector in good])))
                        connection.execute("SELECT rowvec_internal.answer_queries(%s, %s)", good_values)
                    for id_, answer in found:
                        if isinstance(answer, str):
                            connection.execute("SELECT rowvec_internal.fail_query(%s, %s)", (id_, answer))
                    pipeline.sync()  # commits: who is woken now sees the answer
                    connection.execute("SELECT rowvec_internal.release_queries(%s)", ([row[0] for row in group],))
                self._remember(connection, model, prompt, texts, answers)

    def _answer_letters(self, connection: psycopg.Connection, mailbox: Mailbox) -> None:
        while letters := mailbox.take():
            for letter in letters:
                if letter.source is not None:
                    mailbox.answer(letter, self._chunks(letter.source, letter.query))
            texts = [letter for letter in letters if letter.source is None]
            for (model, prompt), group in _groups((item.model, item.prompt, item) for item in texts).items():
                answers = self._encode(model, prompt, [letter.query for letter in group])
                for letter, answer in zip(group, answers, strict=True):
                    mailbox.answer(letter, f"!{answer}" if isinstance(answer, str) else vector_text(answer))
                self._remember(connection, model, prompt, [letter.query for letter in group], answers)

    def _chunks(self, source: int, text: str) -> str:
        """Say how a source cuts a text, as JSON; or why it cannot be said, after an exclamation mark."""
        try:
            if self._preview is None:
                raise EncodingError("this process does not know how texts are cut")
            return self._preview(source, text)
        except Exception as error:  # becomes the error of the SELECT that asked
            return f"!{one_line(error)}"

    def _encode(self, model: int, prompt: str, texts: Sequence[str]) -> list[Answer]:
        """Encode together; where that fails, one by one, so that a bad text harms only itself."""
        try:
            if model not in self._models():
                raise EncodingError(f"this daemon does not serve model {model}")
            vectors = self._encoders(model).encode(texts, prompt=prompt, urgent=True)
        except Exception as error:  # becomes the error of the SELECT that asked
            if len(texts) > 1:
                return [self._encode(model, prompt, [text])[0] for text in texts]
            log.warning("queries: a text of %d characters failed: %s", len(texts[0]), one_line(error))
            return [one_line(error)]
        return list(vectors)

    def _remember(
        self, connection: psycopg.Connection, model: int, prompt: str, texts: Sequence[str], answers: Sequence[Answer]
    ) -> None:
        """Put the vectors into the cache, after the answers have gone out."""
        good = [(text, answer) for text, answer in zip(texts, answers, strict=True) if isinstance(answer, np.ndarray)]
        if good:
            vectors = VectorArray(np.stack([vector for _, vector in good]))
            connection.execute(
                "SELECT rowvec_internal.remember_queries(%s::smallint, %s, %s, %s)",
                (model, prompt, [text for text, _ in good], vectors),
            )


def vector_text(vector: NDArray[np.float32]) -> str:
    """Write float32 (D,) as pgvector reads it; nine digits bring back the same bits."""
    return "[" + ",".join([f"{value:.9g}" for value in vector.tolist()]) + "]"


def _groups(items: Iterable[tuple[int, str, Item]]) -> dict[tuple[int, str], list[Item]]:
    """Bring together what one call of the encoder can answer: the same model, the same prompt."""
    groups: dict[tuple[int, str], list[Item]] = {}
    for model, prompt, item in items:
        groups.setdefault((model, prompt), []).append(item)
    return groups
