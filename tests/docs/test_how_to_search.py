"""The examples of docs/how-to/search.md run as they stand there, and find what they should."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "search.md"
TEXTS = [
    ("gzip", "how do I compress a file", "en"),
    ("tar", "compress a folder into a file", "en"),
    ("git", "how do I undo a commit", "en"),
    ("brot", "ein Rezept", "de"),
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def documents(connection: psycopg.Connection, model_id: int, fill: Callable[[str], None]) -> None:
    connection.execute("CREATE TABLE documents (id int PRIMARY KEY, title text, body text, lang text)")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO documents VALUES (%s, %s, %s, %s)", [(n, *row) for n, row in enumerate(TEXTS, 1)]
        )
    connection.execute(blocks("sql")[0].split(";")[0])
    fill("docs")
    connection.execute("DELETE FROM rowvec_internal.change")
    connection.execute("UPDATE rowvec_internal.backfill SET phase = 'done'")


@pytest.mark.usefixtures("documents", "query_server")
def test_sql(connection: psycopg.Connection) -> None:
    statements = [part.strip() for block in blocks("sql") for part in block.split(";\n") if part.strip()]
    assert len(statements) >= 17
    for statement in statements[1:]:
        cursor = connection.execute(statement)
        if "'how do I compress a file'" in statement and "embed('how" not in statement:
            row = cursor.fetchone()
            assert row is not None
            assert row[0] in (1, "1", "gzip"), statement
    assert connection.execute("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%hnsw%'").fetchone() == (1,)


@pytest.mark.usefixtures("documents", "query_server")
def test_python(database_url: str) -> None:
    names: dict[str, object] = {"url": database_url}
    for block, first in zip(blocks("python")[:3], ("1", "gzip", 1), strict=True):
        exec(block, names)
        rows = names["rows"]
        assert isinstance(rows, list)
        assert rows[0][0] == first


@pytest.mark.usefixtures("documents", "query_server")
def test_django(database_url: str) -> None:
    import django
    from django.conf import settings
    from django.db import connection

    given = conninfo_to_dict(database_url)
    names = {"NAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    database = {ours: given.get(theirs) or "" for ours, theirs in names.items()}
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}},
        INSTALLED_APPS=["tests.search"],  # the models of an example belong to the app that its name is in
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
    )
    django.setup()
    run: dict[str, Any] = {"__name__": "tests.search.models_of_the_page"}
    try:
        for block, distance in zip(blocks("python")[3:], (0, None), strict=True):
            exec(block, run)
            found = list(run["rows"])
            assert found[0].title == "gzip"
            assert getattr(found[0], "distance", None) == (distance if distance is None else pytest.approx(0, abs=0.5))
    finally:
        connection.close()
