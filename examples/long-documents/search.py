"""Search whole licences and README files, thousands of tokens each, and show the passage that answers.

    rowvec up                                  # in another terminal: a server and a daemon; it prints its URL
    ROWVEC_DATABASE_URL=… python search.py     # or with questions of yours: python search.py "may I sell it"

The texts are in every Python environment: the files in the *.dist-info folders of its packages.
"""

from __future__ import annotations

import os
import sys
import textwrap
import time
from pathlib import Path

import psycopg

QUESTIONS = (
    "do I have to say which files I changed",
    "what happens if I sue somebody over a patent",
    "is the software provided with any warranty",
    "how do I install it from the command line",
)
WATCH = "SELECT rowvec.watch('files', 'body', chunk_tokens => 200, chunk_overlap => 20, if_not_exists => true)"
SEARCH = "SELECT key, distance, chunk, passage FROM rowvec.search('files', %s, k => 2)"
LONGEST = 60_000  # characters of a file: the licences of everything that a package bundles can be a megabyte


def read(count: int) -> list[tuple[str, str]]:
    """Return so many licences and descriptions (METADATA without its head), the longest first, each licence once."""
    found: dict[str, tuple[str, str]] = {}
    for folder in sorted(Path(path) for entry in sys.path for path in Path(entry or ".").glob("*.dist-info")):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if path.name == "METADATA" or path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE")):
                text = path.read_text("utf-8", errors="replace").replace("\x00", "")
                body = text.partition("\n\n")[2] if path.name == "METADATA" else text
                if len(body) <= LONGEST:
                    beginning = " ".join(body.split())[:2000]  # many packages have the same licence
                    found.setdefault(beginning, (f"{folder.name.split('-')[0]}/{path.name}", body))
    return sorted(found.values(), key=lambda file: -len(file[1]))[:count]


def main(questions: tuple[str, ...], count: int = 40) -> None:
    """Fill the table `files`, have it embedded, and ask."""
    with psycopg.connect(os.environ["ROWVEC_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS files (path text PRIMARY KEY, body text)")
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO files VALUES (%s, %s) ON CONFLICT (path) DO UPDATE SET body = EXCLUDED.body", read(count)
            )
        started = time.monotonic()
        connection.execute(WATCH)
        connection.execute("CALL rowvec.wait('files', '20 min')")
        seconds = time.monotonic() - started
        row = connection.execute(
            "SELECT count(DISTINCT path), count(*), sum(length(body)) FILTER (WHERE chunk = 0)"
            " FROM rowvec.files_vectors JOIN files USING (path)"
        ).fetchone()
        assert row is not None
        print(f"{row[0]} files of {row[2]:,} characters in {row[1]:,} chunks, {seconds:.1f} s")
        for question in questions:
            print(f"\n{question}")
            for path, distance, chunk, passage in connection.execute(SEARCH, (question,)):
                print(f"  {path}, chunk {chunk}, {distance:.4f}")
                print(textwrap.indent(textwrap.fill(" ".join(passage.split())[:400], 100), "    "))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or QUESTIONS)
