"""Mistakes of a user, each of which a type checker finds."""

from __future__ import annotations

import psycopg
from psycopg import sql

import rowvec


def mistakes(client: rowvec.Client, cursor: psycopg.Cursor, other: psycopg.AsyncConnection) -> None:
    client.search("documents", "a text", filter="lang = 'en'")  # wrong: a plain str
    client.search("documents", "a text", 10)  # wrong: k is a keyword
    client.search("documents", ["a", "text"])  # wrong: no numbers
    client.search("documents", "a text", limit=10)  # wrong: no such parameter
    client.watch("documents", "body", on_overflow="chunks")  # wrong: no such value
    client.watch("documents", 1)  # wrong: no column
    client.wait("documents", timeout="30 s")  # wrong: seconds
    client.hybrid_search("documents", [1.0])  # wrong: a text only
    client.hybrid_search("documents", "x", document="tsv")  # wrong: a plain str
    client.search("documents", "x", filter=sql.SQL("x")).fetchall()  # wrong: a list
    rowvec.Client("postgresql://")  # wrong: a URL
    rowvec.Client(cursor)  # wrong: a cursor
    rowvec.Client(other)  # wrong: an asynchronous connection
    client.status()[0].name = "x"  # wrong: frozen
    rowvec.conect("postgresql://")  # wrong: no such name
    for hit in client.hybrid_search("documents", "x"):
        print(hit.distance + 1)  # wrong: may be None
    for row in client.search("documents", "x"):
        print(row.score)  # wrong: no score
    rowvec.Encoder.load("x").encode(b"x")  # wrong: texts
