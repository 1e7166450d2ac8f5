"""A row's columns to its text, and the hash that binds it to a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import SourceError
from app.text import Template, identity, text_hash

COLUMNS = ("title", "body")


@pytest.mark.parametrize(
    ("template", "row", "text"),
    [
        (None, {"title": "A", "body": "b"}, "A\n\nb"),
        (None, {"title": None, "body": "b"}, "b"),
        (None, {"title": "A", "body": " \n"}, "A"),
        (None, {"title": None, "body": ""}, None),
        ("{title}: {body}.", {"title": "A", "body": "b"}, "A: b."),
        ("{title}: {body}.", {"title": None, "body": "b"}, "b."),
        ("{title}: {body}.", {"title": "A", "body": None}, "A."),
        ("{{{title}}} {body}", {"title": "A", "body": "b"}, "{A} b"),
        ("about {title}, {body}", {"title": None, "body": "b"}, "about b"),
        ("{title} {title}", {"title": "A", "body": "b"}, "A A"),
        ("{title}", {"title": "{body}", "body": "b"}, "{body}"),
        ("{title}", {"title": "a\x00b", "body": None}, "ab"),
    ],
)
def test_a_row_is_rendered_as_a_person_would(
    template: str | None, row: dict[str, str | None], text: str | None
) -> None:
    assert Template.of(COLUMNS, template).render(row) == text


@pytest.mark.parametrize("template", ["{title", "title}", "{}", "{a{b}}"])
def test_a_brace_that_stands_alone_is_refused(template: str) -> None:
    with pytest.raises(SourceError, match="brace"):
        Template.parse(template)


@given(st.text())
def test_any_text_passes_through_one_column_as_it_is(text: str) -> None:
    rendered = Template.of(("body",), None).render({"body": text})
    assert rendered == (text.replace("\x00", "") if text.strip() else None)


@given(st.text(), st.text())
def test_the_hash_tells_texts_and_models_apart(text: str, other: str) -> None:
    mine, bf16, prompted = (identity("f", "fp32"), identity("f", "bf16"), identity("f", "fp32", "passage: "))
    hashes = {text_hash(text, bound) for bound in (mine, bf16, prompted)}
    assert len(hashes) == 3
    assert (text_hash(text, mine) == text_hash(other, mine)) == (text == other)
