"""What a SELECT asks of a daemon, the answer, and the requests that come by the query table (the loop-back way)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import class_row

from rowvec.database.statements import rows, statement
from rowvec.database.vectors import VectorArray
from rowvec.errors import one_line


@dataclass(frozen=True, slots=True)
class Request:
    """A text that waits for its vector; or, with a source, for the places where that source splits it into chunks."""

    id: UUID | str
    model: int
    prompt: str
    query: str
    source: int | None = None


Answer = NDArray[np.float32] | str | Exception  # a vector (dims,), chunks as JSON, or why there is neither


class QueryTable:
    """The requests in rowvec_internal.query, which a SELECT writes over its loop-back connection."""

    def __init__(
        self, connection: psycopg.Connection, models: Callable[[], Collection[int]], cached_queries: int
    ) -> None:
        """Take an autocommit connection, the ids of the models served, and how many vectors the cache keeps."""
        self._connection, self._models, self._cached_queries = connection, models, cached_queries

    def take(self) -> list[Request]:
        """Claim up to 64 requests, oldest first; whoever asked waits for an advisory lock that we hold from now on."""
        return rows(self._connection, class_row(Request), statement("search/claim_queries"), [list(self._models())])

    def answer(self, answered: Sequence[tuple[Request, Answer]]) -> None:
        """Write and commit the answers, then release the locks: who is woken by that sees its answer."""
        execute = self._connection.execute
        with self._connection.pipeline() as pipeline:
            if vectors := {request.id: answer for request, answer in answered if isinstance(answer, np.ndarray)}:
                values = (list(vectors), VectorArray(np.stack(list(vectors.values()))))
                execute("SELECT rowvec_internal.answer_queries(%s, %s)", values)
            for request, answer in answered:
                if isinstance(answer, Exception):
                    execute("SELECT rowvec_internal.fail_query(%s, %s)", (request.id, one_line(answer)))
                elif isinstance(answer, str):
                    execute("SELECT rowvec_internal.answer_preview(%s, %s)", (request.id, answer))
            pipeline.sync()  # commits
            execute("SELECT rowvec_internal.release_queries(%s)", ([request.id for request, _ in answered],))

    def sweep(self) -> None:
        """Forget requests of more than a minute ago, and the oldest cached vectors beyond the limit."""
        self._connection.execute("SELECT rowvec_internal.sweep_queries(%s)", (self._cached_queries,))
