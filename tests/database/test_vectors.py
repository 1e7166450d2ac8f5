"""A float32 matrix to PostgreSQL's wire and back."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pgvector import Vector

from rowvec.database.connection import connect
from rowvec.database.vectors import VectorArray, from_text, to_binary

MATRICES = st.integers(1, 40).flatmap(
    lambda rows: arrays(np.float32, (rows, 7), elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
)


@given(MATRICES)
def test_the_layout_is_that_of_pgvector_python(matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    wire = to_binary(matrix, 12345)
    at = 20
    for row in matrix:
        ours = Vector(row).to_binary()
        assert wire[at : at + 4] == len(ours).to_bytes(4, "big")
        assert wire[at + 4 : at + 4 + len(ours)] == ours
        at += 4 + len(ours)
    assert at == len(wire)


@given(matrix=MATRICES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_server_stores_what_was_sent(
    database_url: str, matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> None:
    with connect(database_url) as connection:
        rows = connection.execute("SELECT e::text FROM unnest(%s) e", [VectorArray(matrix)]).fetchall()
    assert np.array_equal(from_text([row[0] for row in rows]), matrix)


def test_no_vector_at_all_is_an_empty_array(database_url: str) -> None:
    with connect(database_url) as connection:
        sent = VectorArray(np.empty((0, 7), dtype=np.float32))
        assert connection.execute("SELECT cardinality(%s)", [sent]).fetchone() == (0,)


def test_pgvector_in_a_schema_of_its_own_is_found(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA extensions")
        connection.execute("CREATE EXTENSION vector SCHEMA extensions")
    with connect(empty_database_url) as connection:
        row = connection.execute("SELECT unnest(%s)::text", [VectorArray(np.ones((1, 2), np.float32))]).fetchone()
    assert row == ("[1,1]",)


@pytest.mark.parametrize("wrong", [np.zeros(3, np.float32), np.zeros((2, 3), np.float64)])
def test_another_shape_or_type_is_refused(wrong: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    with pytest.raises(ValueError, match="float32 matrix"):
        VectorArray(wrong)
