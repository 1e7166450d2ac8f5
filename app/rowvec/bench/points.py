"""What `rowvec bench search` searches: a database of its own with clustered random vectors, and queries near them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.conninfo import make_conninfo

import rowvec_migrations

TOPICS, INNER_DIMS = 2000, 64  # real embeddings are clustered, and far fewer-dimensional than they look
PARTS = 10_000  # values of the column that queries filter by

Vectors = NDArray[np.float32]


@contextmanager
def database(url: str) -> Iterator[str]:
    """Make and migrate a database, give its URL, and drop it."""
    name = f"rowvec_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        own = make_conninfo(url, dbname=name)
        try:
            rowvec_migrations.upgrade(own)
            yield own
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def load(connection: psycopg.Connection, vectors: Vectors, dims: int) -> None:
    """Make the table `documents`, watch it, and write its vectors: row n has part n * 7919 % PARTS."""
    connection.execute(
        "INSERT INTO rowvec_internal.model (name, fingerprint, dims, max_tokens, manifest, is_default)"
        " VALUES ('bench', 'bench', %s, 256, '{}', true)",
        (dims,),
    )
    connection.execute("CREATE TABLE documents (id int PRIMARY KEY, title text, body text, part int)")
    connection.execute(
        "INSERT INTO documents SELECT i, 'title ' || i, 'body ' || i, i::bigint * 7919 %% %s"
        " FROM generate_series(1, %s) i",
        (PARTS, len(vectors)),
    )
    connection.execute("SELECT rowvec.watch('documents', 'body', backfill => false)")
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY rowvec.documents_vectors (id, embedding) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(["int4", "vector"])
        for number, vector in enumerate(vectors, 1):
            copy.write_row((number, vector))
    connection.execute("VACUUM ANALYZE documents")
    connection.execute("VACUUM ANALYZE rowvec.documents_vectors")


def vectors(rows: int, dims: int) -> Vectors:
    """Make unit vectors (rows, dims): topics in a space of few dimensions, spread, and a little noise in all."""
    random = np.random.default_rng(0)
    space = random.standard_normal((INNER_DIMS, dims)).astype(np.float32)
    topics = random.standard_normal((TOPICS, INNER_DIMS)).astype(np.float32)
    inner = topics[random.integers(0, TOPICS, rows)] + 0.8 * random.standard_normal((rows, INNER_DIMS))
    return _units(inner.astype(np.float32) @ space + 0.5 * random.standard_normal((rows, dims)).astype(np.float32))


def queries(rows: int, dims: int, queries: int) -> Vectors:
    """Make unit vectors near rows: what a question is to its answer."""
    random = np.random.default_rng(1)
    near = vectors(rows, dims)[random.integers(0, rows, queries)]
    return _units(near + 0.03 * random.standard_normal(near.shape).astype(np.float32))


def _units(vectors: Vectors) -> Vectors:
    units: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return units
