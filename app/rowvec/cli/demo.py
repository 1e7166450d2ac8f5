"""`rowvec demo`: the whole path on real rows, on the embedded server; run again, it finds what is there."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from threading import Event
from types import FrameType

from psycopg import Connection, sql
from psycopg.rows import dict_row
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import rowvec_migrations
from rowvec.admin import models, progress
from rowvec.bench import docstrings
from rowvec.cli import default_model
from rowvec.client import Client
from rowvec.daemon import process
from rowvec.database.connection import connect
from rowvec.database.statements import rows, statement
from rowvec.database.translate import translated
from rowvec.settings import Settings

SOURCE = "stdlib"
NEW_TITLE, NEW_BODY = "a note of yours", "knitting patterns for warm woollen socks"
QUESTIONS = (
    "how do I compress a file",
    "parse the options of a command line",
    "run another program and read what it prints",
    "which weekday is a date",
    "send an e-mail over an encrypted connection",
    "a random number from a bell curve",
)
SEARCH = "SELECT (hit).title, distance FROM rowvec.search(NULL::stdlib, {question}, k => 3)"


def run(settings: Settings, url: str, limit: int, console: Console) -> None:
    """Show the whole path on `limit` rows, on the server at `url`; safe to interrupt anywhere, and to run again."""
    started = time.monotonic()
    signal.signal(signal.SIGINT, _interrupt)
    rowvec_migrations.upgrade(url)
    with connect(url, application="rowvec demo") as connection, translated():
        _say(console, 1, f"PostgreSQL with pgvector: {_versions(connection)}, schema rowvec migrated")
        default_model.ensure(connection, settings, lambda line: console.print(f"   {escape(line)}"))
        model = next(row for row in models.models(connection, settings.models) if row.is_default)
        _say(console, 2, f"Model: {model.name}, {model.dims} dimensions, TorchScript, in {model.folder}")
        _say(console, 3, f"Table stdlib: {_fill(connection, limit):,} docstrings of Python's standard library")
        Client(connection).watch("public.stdlib", ["title", "body"], name=SOURCE, if_not_exists=True)
        _say(console, 4, "SELECT rowvec.watch('stdlib', ARRAY['title', 'body']);   -- and the daemon does the rest")
        with process.background(settings, url) as running:
            first = time.monotonic()
            embedded = progress.follow(connection, SOURCE, console, running.check)
            seconds = time.monotonic() - first
            console.print(f"   {embedded:,} rows are embedded ({seconds:.1f} s)")
            _show_latency(connection, console)
            _show_searches(connection, console)
    console.print(f"\n[bold]Done in {time.monotonic() - started:.0f} s.[/] Go on:")
    _show_way_on(settings, url, console)


_interrupted = Event()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Remember Ctrl-C: C code of the large libraries that are imported here may swallow the exception."""
    _interrupted.set()
    raise KeyboardInterrupt


def _say(console: Console, number: int, line: str) -> None:
    if _interrupted.is_set():
        raise KeyboardInterrupt
    console.print(f"[bold cyan]{number}.[/] {escape(line)}")


def _versions(connection: Connection) -> str:
    (facts,) = rows(connection, dict_row, statement("admin/doctor_server"))
    return f"{facts['server']} with {facts['vector']}"


def _fill(connection: Connection, limit: int) -> int:
    texts = docstrings.public(limit)
    connection.execute(statement("cli/demo_table"))
    values = {"titles": [text.title for text in texts], "bodies": [text.body for text in texts]}
    connection.execute(statement("cli/demo_insert"), values)
    connection.execute("DELETE FROM public.stdlib WHERE title = %s", [NEW_TITLE])
    connection.execute("ANALYZE public.stdlib")  # the backfill's total is the planner's number of rows
    row = connection.execute("SELECT count(*) FROM public.stdlib").fetchone()
    return int(row[0]) if row else 0


def _show_latency(connection: Connection, console: Console) -> None:
    """Insert one row and wait until it is searchable: from before the INSERT to the return of rowvec.wait."""
    before = time.monotonic()
    connection.execute("INSERT INTO stdlib (title, body) VALUES (%s, %s)", [NEW_TITLE, NEW_BODY])
    connection.execute("CALL rowvec.wait(%s)", [SOURCE])
    milliseconds = (time.monotonic() - before) * 1000
    _say(console, 5, f"INSERT -> vector: after {milliseconds:.1f} ms the new row is searchable")


def _show_searches(connection: Connection, console: Console) -> None:
    _say(console, 6, "Questions, through plain SQL:")
    for question in (*QUESTIONS, "something to wear in winter"):
        search = sql.SQL(SEARCH).format(question=sql.Literal(question))
        console.print(f"\n   [green]{escape(search.as_string(connection))};[/]", soft_wrap=True)
        made = Table("question", "title", "distance", box=None, padding=(0, 2, 0, 3))
        for number, (title, distance) in enumerate(connection.execute(search).fetchall()):
            made.add_row("" if number else question, title, f"{distance:.4f}")
        console.print(made)


def _show_way_on(settings: Settings, url: str, console: Console) -> None:
    rowvec = os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).is_absolute() else sys.argv[0]
    lines = (
        f"  {rowvec} up       # this server and a daemon, until Ctrl-C",
        f"  {rowvec} psql     # in another terminal; or any psql: psql '{url}'",
        "",
        "  SELECT (hit).title, distance FROM rowvec.search(NULL::stdlib, 'open a web page', k => 5);",
        "  INSERT INTO stdlib (title, body) VALUES ('mine', 'anything you like');",
        "  SELECT * FROM rowvec.status;",
    )
    console.print("\n".join(lines), markup=False, soft_wrap=True)
