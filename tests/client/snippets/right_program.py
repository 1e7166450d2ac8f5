"""A program of a user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_type

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

import rowvec


def titles(url: str, question: str, lang: str) -> list[str]:
    with rowvec.connect(url, connect_timeout=5) as client:
        source = client.watch("documents", ["title", "body"], on_overflow="chunk", index="auto")
        assert_type(source, rowvec.Source)
        client.wait(source.name, timeout=30)
        hits = client.search("documents", question, k=10, filter=sql.SQL("lang = {}").format(lang))
        assert_type(hits, list[rowvec.Hit])
        assert_type(hits[0].passage, str | None)
        return [hit.key for hit in hits if hit.distance < 0.5]


def best(connection: psycopg.Connection[dict[str, object]], vector: Sequence[float]) -> float | None:
    client = rowvec.Client(connection)
    for hit in client.hybrid_search("documents", "a text"):
        assert_type(hit.distance, float | None)
    found: list[rowvec.Hit] = client.search("documents", vector) or client.similar("documents", 42)
    return found[0].distance if found else None


def failed(url: str) -> dict[str, str]:
    with ConnectionPool(url, kwargs={"row_factory": dict_row}) as pool:
        client = rowvec.Client(pool)
        try:
            client.wait("documents")
        except rowvec.WaitTimeout as error:
            print(error, error.hint)
        assert_type(client.status()[0].lag_seconds, float)
        assert_type(client.retry("documents"), int)
        return {error.key: error.error for error in client.errors("documents")}
