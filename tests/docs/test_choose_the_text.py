"""The statements of docs/how-to/choose-the-text.md run as they stand there, and make the texts that the page says."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

from tests.fakes import HashEncoder
from tests.running import add_fake_model, daemon

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "choose-the-text.md"


def test_the_page(connection: psycopg.Connection, database_url: str) -> None:
    add_fake_model(connection)
    connection.execute(
        "CREATE TABLE products"
        " (id int PRIMARY KEY, name text, description text, tags text[], price numeric, details jsonb)"
    )
    connection.execute(
        "INSERT INTO products VALUES (1, 'Box', 'It holds.', '{red,dark blue}', 12.50,"
        """ '{"size": {"h": 3, "w": 4}, "new": true}'), (2, 'Bag', NULL, NULL, 3, NULL)"""
    )
    encoder = HashEncoder()
    first, *others, last, wait, new, filled, swap, unwatch = re.findall(
        r"^(?:SELECT|CALL) .*?;$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    others = [statement for statement in others if "preview" not in statement]  # tests/search/test_preview.py
    with daemon(database_url, encoder):
        connection.execute(first.encode())
        connection.execute(wait.encode())
        assert texts(encoder) == ["Bag", "Box\n\nIt holds."]
        for statement in others:
            connection.execute(statement.encode())
            name = re.findall(r"name => '(\w+)'", statement)[0]
            connection.execute("CALL rowvec.wait(%s, '30 s')", [name])
        shop = "Box (red, dark blue)\nPrice: 12.50\nnew: yes\nsize: (h: 3, w: 4)"
        assert texts(encoder) == ["Bag\nPrice: 3", shop, "It holds."]
        connection.execute("UPDATE products SET price = 13 WHERE id = 1")
        connection.execute(last.encode())
        connection.execute(wait.encode())
        connection.execute("CALL rowvec.wait('shop', '30 s')")
        assert texts(encoder) == [shop.replace("12.50", "13"), "Box: It holds. (new: yes\nsize: (h: 3, w: 4))"]
        for statement in (new, filled, swap, unwatch):
            connection.execute(statement.encode())
        connection.execute(wait.encode())
        assert texts(encoder) == ["It holds."]
        assert connection.execute("SELECT count(embedding) FROM rowvec.plain_vectors").fetchone() == (1,)


def texts(encoder: HashEncoder) -> list[str]:
    """What was encoded since the last call, in order of the alphabet."""
    called = sorted(text for call in encoder.calls for text in call)
    encoder.calls.clear()
    return called
