"""A row to its text, as SQL renders it, and the hash that binds a text to a model."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rowvec.database.text_hash import identity, text_hash

# No NUL, no half of a pair: PostgreSQL has no such text.
TEXTS = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]))


@pytest.fixture
def rows(connection: psycopg.Connection) -> psycopg.Connection:
    """One row of many types in table `d`."""
    connection.execute("CREATE DOMAIN note AS text")
    connection.execute(
        "CREATE TABLE d (title text, body note, tags text[], price numeric, day date, at timestamptz, local timestamp,"
        " data jsonb, raw json, open boolean, size float8)"
    )
    return connection


def rendered(connection: psycopg.Connection, columns: list[str], template: str | None) -> str | None:
    """The text of the only row."""
    row = connection.execute(
        "SELECT rowvec_internal.text_sql('d', 'd'::regclass, %s, %s)", [columns, template]
    ).fetchone()
    assert row is not None
    text = connection.execute(f"SELECT {row[0]} FROM d".encode()).fetchone()
    assert text is not None
    return None if text[0] is None else str(text[0])


@pytest.mark.parametrize(
    ("template", "title", "body", "text"),
    [
        (None, "A", "b", "A\n\nb"),
        (None, None, "b", "b"),
        (None, "A", " \n", "A"),
        (None, None, "", None),
        ("{title}: {body}.", "A", "b", "A: b."),
        ("{title}: {body}.", None, "b", "b."),
        ("{title}: {body}.", "A", None, "A."),
        ("{title}: {body}.", None, None, None),
        ("{{{title}}} {body}", "A", "b", "{A} b"),
        ("about {title}, {body}", None, "b", "about b"),
        ("{title} ({body})", "A", "b", "A (b)"),
        ("{title} ({body})", "A", None, "A"),
        ("{title} {title}", "A", "b", "A A"),
        ("{title}%s%% {body}", "{body}", "b", "{body}%s%% b"),
        ('it\'s \\ {title} "{body}"', "A", "b", 'it\'s \\ A "b"'),
    ],
)
def test_what_is_not_there_drops_out_with_its_separator(
    rows: psycopg.Connection, template: str | None, title: str | None, body: str | None, text: str | None
) -> None:
    rows.execute("INSERT INTO d (title, body) VALUES (%s, %s)", [title, body])
    assert rendered(rows, ["title", "body"], template) == text


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("tags", "{red, NULL, dark blue}", "red, dark blue"),
        ("tags", "{}", None),
        ("price", "12.50", "12.50"),
        ("day", "2026-11-22", "2026-11-22"),
        ("day", "infinity", None),
        ("at", "2026-11-22 17:05:09+02", "2026-11-22 15:05 UTC"),
        ("local", "2026-11-22 17:05:09", "2026-11-22 17:05"),
        ("open", "true", "yes"),
        ("open", "false", "no"),
        ("size", "0.1", "0.1"),
        ("data", '{"colour": "red", "tags": ["a", "b"], "no": null}', "tags: a, b\ncolour: red"),
        ("data", '{"size": {"h": 3, "w": 4}, "new": true}', "new: yes\nsize: (h: 3, w: 4)"),
        ("data", '["a", ["b", 3], {"k": "v"}]', "a, b, 3, (k: v)"),
        ("data", '"just text"', "just text"),
        ("data", "null", None),
        ("data", "{}", None),
        ("raw", '{"a": "\\u0000"}', '{"a": "\\u0000"}'),
        ("raw", "[" * 6000 + "]" * 6000, "[" * 6000 + "]" * 6000),
    ],
)
def test_other_types_read_as_a_person_would_write_them(
    rows: psycopg.Connection, column: str, value: str, text: str | None
) -> None:
    rows.execute(f"INSERT INTO d ({column}) VALUES (%s)".encode(), [value])
    for zone in ("UTC", "Asia/Tokyo"):  # a session's settings move nothing
        rows.execute(f"SET timezone = '{zone}'; SET datestyle = 'German'".encode())
        assert rendered(rows, [column], f"{{{column}}}") == text


def test_a_huge_value_is_read_up_to_a_million_characters(rows: psycopg.Connection) -> None:
    rows.execute("INSERT INTO d (title, body) VALUES (repeat(' ', 2000000) || 'x', repeat('é', 2000000))")
    assert rendered(rows, ["title"], None) == " " * 1_000_000
    assert rendered(rows, ["title", "body"], "{body}{title}") == "é" * 1_000_000


@example(title="0", body="\x1f")
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(title=TEXTS, body=TEXTS)
def test_any_text_passes_as_it_is(rows: psycopg.Connection, title: str, body: str) -> None:
    rows.execute("TRUNCATE d")
    rows.execute("INSERT INTO d (title, body) VALUES (%s, %s)", [title, body])
    # What is blank PostgreSQL says: to Python a unit separator is.
    said = rows.execute("SELECT title ~ '\\S', body ~ '\\S' FROM d").fetchone()
    assert said is not None
    parts = [part for part, has_words in zip((title, body), said, strict=True) if has_words]
    assert rendered(rows, ["title", "body"], None) == ("\n\n".join(parts) or None)


@given(TEXTS, TEXTS)
def test_the_hash_tells_texts_and_models_apart(text: str, other: str) -> None:
    mine, bf16, prompted = (identity("f", "fp32"), identity("f", "bf16"), identity("f", "fp32", "passage: "))
    hashes = {text_hash(text, bound) for bound in (mine, bf16, prompted)}
    assert len(hashes) == 3
    assert (text_hash(text, mine) == text_hash(other, mine)) == (text == other)
