"""The client: rowvec's SQL functions as methods, on a connection of its own, on yours, or on your pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, Protocol, Self, SupportsFloat, TypeVar
from uuid import UUID

import psycopg
from psycopg import Connection, Cursor, sql
from psycopg.rows import class_row, scalar_row

from rowvec.client.arguments import autocommit, checked, query_text, rendered
from rowvec.client.records import Hit, HybridHit, RowError, Source, SourceStatus
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import DatabaseError, WaitTimeout

Row = TypeVar("Row")


class Pool(Protocol):
    """A pool of connections, as `psycopg_pool.ConnectionPool` is one."""

    def connection(self) -> AbstractContextManager[Connection[Any]]:
        """Lend a connection for the length of a block, which commits at its end."""
        ...


def connect(url: str, **options: Any) -> Client:
    """Connect to a server and return a client that closes the connection at its end.

    `url` is libpq's: `postgresql://user:password@host:5432/database`. `options` are those of `psycopg.connect`, such
    as `connect_timeout` (seconds). The connection is in autocommit mode and prepares nothing, so that it also works
    through a pooler in transaction mode. Raises `ServerUnreachable` where there is no server, `SettingsError` where the
    URL cannot be read.
    """
    with translated("the URL"):
        defaults = {"autocommit": True, "prepare_threshold": None, "fallback_application_name": "rowvec"}
        client = Client(psycopg.connect(url, **{**defaults, **options}))
    client._owned = True
    return client


class Client:
    """What rowvec does for a program, over PostgreSQL; vectors of texts are made by a running daemon.

    Made by `rowvec.connect(url)`, or as `Client(connection)` or `Client(pool)` from a psycopg connection or a
    `psycopg_pool.ConnectionPool` of yours. Those stay yours: the client never closes them, a statement on your
    connection is part of your transaction, and one on your pool is committed at once. A client may be used from several
    threads; on one connection their statements run one after another.

    An argument of the wrong type raises `TypeError`, whatever the server refuses raises `DatabaseError` with its words,
    a lost server raises `ServerUnreachable`.
    """

    def __init__(self, connection: Connection[Any] | Pool) -> None:
        """Take a connection or a pool, which stay the caller's."""
        pooled = hasattr(connection, "connection") and not hasattr(connection, "__aenter__")
        if not (pooled or isinstance(connection, Connection)):
            raise TypeError(
                f"Client takes a psycopg.Connection or a psycopg_pool.ConnectionPool, not {type(connection).__name__};"
                " for a URL there is rowvec.connect(url)"
            )
        self._connection = connection
        self._owned = False
        self._vector: sql.Identifier | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection that `rowvec.connect` made; yours stays open."""
        if self._owned and isinstance(self._connection, Connection):
            self._connection.close()

    def watch(
        self,
        source_table: str,
        text_columns: str | Sequence[str],
        *,
        name: str | None = None,
        model: str | None = None,
        template: str | None = None,
        into_column: str | None = None,
        chunk_tokens: int | None = None,
        chunk_overlap: int = 0,
        backfill: bool = True,
        if_not_exists: bool = False,
        on_overflow: Literal["truncate", "error", "chunk"] = "truncate",
        store_text: bool = False,
        document_prompt: str | None = None,
        query_prompt: str | None = None,
        replace: bool = False,
        index: Literal["auto"] | None = None,
    ) -> Source:
        """Begin to keep vectors for a table's text, and return the source. A running daemon notices by itself.

        Calls `rowvec.watch`. Raises `DatabaseError` where the table is watched already, has no key, or the recipe does
        not fit it; locks the table against writers for a moment, for which it waits 2 s at most.

        - `source_table`: its name, with the schema where the search_path does not find it.
        - `text_columns`: the columns that make a row's text.
        - `name`: the source's name; default: the table's.
        - `model`: a model of the catalogue; default: the default model.
        - `template`: how the text is made, as in `"{title}: {body}"`.
        - `into_column`: keep the vector in this column of the table itself.
        - `chunk_tokens`, `chunk_overlap`: split long texts into chunks of so many tokens, which overlap by so many.
        - `backfill`: embed the rows that are there already.
        - `if_not_exists`: where the source is there, leave it as it is.
        - `on_overflow`: what becomes of a text beyond the model's limit.
        - `store_text`: keep each chunk's text beside its vector.
        - `document_prompt`, `query_prompt`: put before each text and each query; default: the model's.
        - `replace`: change the recipe of a source that is there; what differs is embedded again.
        - `index`: "auto" lets a daemon build the HNSW index when the backfill is done.
        """
        values = {**locals(), "text_columns": [text_columns] if isinstance(text_columns, str) else list(text_columns)}
        with self._borrow() as connection, Cursor(connection, row_factory=scalar_row) as cursor:
            made = {"name": cursor.execute(statement("client/watch"), values).fetchone()}
            [source] = Cursor(connection, row_factory=class_row(Source)).execute(statement("client/source"), made)
            return source

    def unwatch(self, name: str, *, drop_vectors: bool = False) -> None:
        """End a source. Its vectors stay, unless `drop_vectors`; the table stays in any case.

        Calls `rowvec.unwatch`. Raises `DatabaseError` where there is no such source.
        """
        self._scalar("client/unwatch", locals())

    def wait(self, name: str, timeout: float = 30.0) -> None:
        """Return when every change that was committed before the call, and the backfill, is searchable.

        Calls `rowvec.wait`, which commits while it waits: inside a transaction of yours it raises `DatabaseError`.
        `timeout` is in seconds; after it, `WaitTimeout` is raised. Rows that failed for good are not waited for: see
        `errors`.
        """
        with self._borrow() as connection, autocommit(connection), Cursor(connection) as cursor:
            try:
                cursor.execute(statement("client/wait"), {"name": name, "timeout": timeout})
            except psycopg.errors.QueryCanceled as error:
                raise WaitTimeout(error.diag.message_primary, hint=error.diag.message_hint) from error

    def search(
        self,
        source: str,
        query: str | Iterable[SupportsFloat],
        *,
        k: int = 10,
        filter: sql.Composable | None = None,
        max_distance: float | None = None,
        exact: bool = False,
        per_row: bool = True,
    ) -> list[Hit]:
        """Return the k rows that are nearest to a text or to a vector, nearest first.

        Calls `rowvec.search`, with your rights: SELECT on the table and its row-level security hold. A text becomes a
        vector by the daemon, with the model's query prompt; without a daemon, `DatabaseError` comes after
        `rowvec.query_timeout`.

        - `query`: a text, or a vector of as many numbers as the model has dims: a sequence or a numpy array.
        - `filter`: a condition on the table's columns: `sql.SQL("lang = {}").format("en")`, with psycopg's `sql`. A
          plain `str` raises `TypeError`, since values pasted into SQL are how injections happen.
        - `max_distance`: leave out what is farther; with cosine similarity distances are from 0 to 2.
        - `exact`: look at every row instead of the index.
        - `per_row`: in a source with chunks, return each row once, by its best chunk; False: every chunk for itself.
        """
        values = {**locals(), "query": query_text(query), "filter": checked(filter, "filter")}
        typed = sql.SQL("text") if isinstance(query, str) else self._vector_type()
        return self._rows(Hit, statement("client/search").format(type=typed), values)

    def similar(
        self,
        source: str,
        row_key: str | int | UUID,
        *,
        k: int = 10,
        filter: sql.Composable | None = None,
        max_distance: float | None = None,
        exact: bool = False,
        per_row: bool = True,
    ) -> list[Hit]:
        """Return the k rows that are nearest to a row of the source, without that row; none where it has no vector.

        Calls `rowvec.similar`. `row_key` is the row's key, or its text form: of several columns `"(a,1)"`. The other
        arguments are those of `search`; no daemon is needed.
        """
        values = {**locals(), "row_key": str(row_key), "filter": checked(filter, "filter")}
        return self._rows(Hit, statement("client/similar"), values)

    def hybrid_search(
        self,
        source: str,
        query: str,
        *,
        k: int = 10,
        filter: sql.Composable | None = None,
        max_distance: float | None = None,
        language: str | None = None,
        vector_weight: float = 1.0,
        text_weight: float = 1.0,
        candidates: int | None = None,
        document: sql.Composable | None = None,
        per_row: bool = True,
    ) -> list[HybridHit]:
        """Return the k best rows of vector search and full text search together, best first.

        Calls `rowvec.hybrid_search`: reciprocal rank fusion, score = sum of weight / (60 + rank in that list).

        - `language`: a text search configuration, such as `"english"`; default: the session's.
        - `vector_weight`, `text_weight`: what each list counts for.
        - `candidates`: length of each list; default: 4 k, at least 50.
        - `document`: SQL of the tsvector, where the table has one: `sql.Identifier("tsv")`.

        The other arguments are those of `search`; `max_distance` bounds the vectors' list only.
        """
        values = {**locals(), "filter": checked(filter, "filter"), "document": checked(document, "document")}
        return self._rows(HybridHit, statement("client/hybrid_search"), values)

    def embed(self, query: str, *, source: str | None = None, model: str | None = None) -> list[float]:
        """Return the vector of a query, with the query prompt, as a list of float32 numbers; a daemon makes it.

        Calls `rowvec.embed`. The model is that of `source`, or `model`, or the default model.
        """
        values: list[float] = self._scalar("client/embed", locals())
        return values

    def status(self, name: str | None = None) -> list[SourceStatus]:
        """Return the state of every source by name, or of one: what waits, what failed, how far its backfill is.

        Reads the view `rowvec.status`. An unknown name gives an empty list.
        """
        return self._rows(SourceStatus, statement("client/status"), locals())

    def errors(self, name: str | None = None, *, limit: int = 1000) -> list[RowError]:
        """Return the rows of every source, or of one, that could not be embedded: the newest `limit` of them.

        Reads the view `rowvec.errors`, which only the roles may read that were granted it.
        """
        return self._rows(RowError, statement("client/errors"), locals())

    def retry(self, name: str, key: str | int | UUID | None = None) -> int:
        """Try again what failed, or one key of it; return how many keys.

        Calls `rowvec.retry`. Raises `DatabaseError` where there is no such source.
        """
        values = {"name": name, "key": None if key is None else str(key)}
        count: int = self._scalar("client/retry", values)
        return count

    @contextmanager
    def _borrow(self) -> Iterator[Connection[Any]]:
        """Lend the connection, or one of the pool; the driver's errors come out as rowvec's."""
        with translated("the URL"):
            if isinstance(self._connection, Connection):
                yield self._connection
            else:
                with self._connection.connection() as connection:
                    yield connection

    def _rows(self, row: type[Row], query: sql.SQL | sql.Composed, values: Mapping[str, Any]) -> list[Row]:
        # A Cursor of psycopg itself: the connection's may be one with other placeholders, or other rows.
        with self._borrow() as connection, Cursor(connection, row_factory=class_row(row)) as cursor:
            return cursor.execute(query, rendered(values, connection)).fetchall()

    def _scalar(self, name: str, values: Mapping[str, Any]) -> Any:
        with self._borrow() as connection, Cursor(connection, row_factory=scalar_row) as cursor:
            return cursor.execute(statement(name), values).fetchone()

    def _vector_type(self) -> sql.Identifier:
        """Name pgvector's type with its schema, which need not be on the search_path."""
        if self._vector is None:
            schema = self._scalar("client/vector_schema", {})
            if schema is None:
                raise DatabaseError("the database has no pgvector", hint="Run `rowvec migrate` first.")
            self._vector = sql.Identifier(schema, "vector")
        return self._vector
