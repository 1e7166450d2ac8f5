"""Array literals: whatever the list, PostgreSQL reads what was in it."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowvec.database.array_literal import literal
from rowvec.database.connection import connect

WHEN = datetime(2026, 2, 3, 4, 5, 6, 123456, UTC)
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
LISTS = {
    "text": st.lists(st.none() | TEXT | st.sampled_from(["", "NULL", "null", '"', "\\", "{}", "a,b", " a ", "\\x00"])),
    "bigint": st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)),
    "boolean": st.lists(st.none() | st.booleans()),
    "bytea": st.lists(st.none() | st.binary(max_size=40)),
    "timestamptz": st.lists(st.none() | st.just(WHEN)),
}


@pytest.mark.parametrize("type_", LISTS)
def test_what_is_written_is_read(connection: psycopg.Connection, database_url: str, type_: str) -> None:
    with connect(database_url) as session:

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(LISTS[type_])
        def check(values: list[object]) -> None:
            row = session.execute(f"SELECT %s::{type_}[]", (literal(values),)).fetchone()  # type: ignore[arg-type]
            assert row == (values,)

        check()


def test_a_list_of_two_types_is_refused() -> None:
    with pytest.raises(TypeError):
        literal([1, "one"])
