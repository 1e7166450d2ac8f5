"""Commands that only look: search, status, doctor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rowvec.cli.common import JsonOption, SourceArgument, client, connected, console, database, print_json

if TYPE_CHECKING:
    from psycopg import Connection
    from rich.table import Table

    from rowvec.client import Hit, SourceStatus

ROW_LETTERS, PASSAGE_LETTERS = 80, 400  # how much of a text a search shows


def status(
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every second, until Ctrl-C.")] = False,
) -> None:
    """Show every source: what waits, what failed, how far its backfill is."""
    import time

    from rich.live import Live

    with client(transaction=False) as rowvec:
        if as_json:
            print_json([asdict(row) for row in rowvec.status()])
        elif not watch:
            console().print(_status_table(rowvec.status()))
        else:
            with Live(_status_table(rowvec.status()), console=console(), auto_refresh=False) as live:
                while True:
                    time.sleep(1.0)
                    live.update(_status_table(rowvec.status()), refresh=True)


def _status_table(rows: Sequence[SourceStatus]) -> Table:
    """Return the states as a table; what needs attention is red."""
    from rich.table import Table

    names = "source table model state waiting retrying dead truncated lag backfill index daemons"
    made = Table(*names.split())
    for row in rows:
        backfill = row.backfill or ""
        if backfill not in ("", "done"):
            backfill = f"{row.backfill_enqueued or 0:,} of about {row.backfill_estimate or 0:,}"
        made.add_row(
            row.name,
            row.table_name,
            row.model,
            f"[red]{row.state}: {row.problem or ''}" if row.problem or row.state != "active" else row.state,
            f"{row.pending:,}",
            f"{row.retrying:,}",
            f"[red]{row.dead:,}" if row.dead else "0",
            f"{row.truncated:,}",
            f"{row.lag_seconds:.1f} s",
            backfill,
            row.index if row.index != "invalid" else "[red]invalid",
            str(row.daemons) if row.daemons else "[red]0",
        )
    if not rows:
        made.caption = "Nothing is watched yet: SELECT rowvec.watch('table', 'column');"
    return made


def doctor(
    daemon: Annotated[bool, typer.Option("--daemon", help="Exit 0 where a daemon of this host is alive.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check server, pgvector, schema, pooler, triggers, models and daemons; exit 1 when something is broken."""
    from rowvec.admin import doctor as module
    from rowvec.database.connection import connect
    from rowvec.settings import load

    settings = load()
    with database(settings) as url, connect(url, application="rowvec doctor") as connection:
        if daemon:
            from rowvec.daemon.registration import is_alive  # needs the daemon's extra; the rest needs none

            raise typer.Exit(0 if is_alive(connection) else 1)
        findings = module.examine(connection, url, settings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        console().print(module.table(findings))
    if any(finding.level == "broken" for finding in findings):
        raise typer.Exit(1)


def search(
    source: SourceArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.", show_default=False)],
    k: Annotated[int, typer.Option("-k", min=1, help="How many rows.")] = 10,
    filter_sql: Annotated[str | None, typer.Option("--filter", help="A SQL condition on the table's columns.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the rows whose text is nearest to TEXT; needs a running daemon."""
    from psycopg import sql
    from rich.markup import escape
    from rich.table import Table

    from rowvec.client import Client

    # The operator's own SQL, run with the operator's own rights.
    condition = sql.SQL(filter_sql) if filter_sql else None  # type: ignore[arg-type, unused-ignore]
    with connected() as connection, connection.transaction():
        connection.execute("SET LOCAL row_security = on")  # off in our sessions, where hidden rows are to be errors
        hits = Client(connection).search(source, text, k=k, filter=condition)
        texts = shown_texts(connection, source, hits)
    if as_json:
        print_json([{"key": hit.key, "distance": hit.distance, "text": texts[hit.key]} for hit in hits])
        return
    made = Table("key", "distance", "text")
    for hit in hits:
        made.add_row(hit.key, f"{hit.distance:.4f}", escape(texts[hit.key]))
    console().print(made)


def shown_texts(connection: Connection, source: str, hits: Sequence[Hit]) -> dict[str, str]:
    """Return what is shown of each hit, by its key: its passage, or the beginning of the row's text."""
    from rowvec.database import sources
    from rowvec.database.compile import compiled

    statement = compiled(sources.find(connection, source), "cli/hit_texts")
    keys = [hit.key for hit in hits if hit.passage is None]
    rows: dict[str, str | None] = dict(connection.execute(statement, {"keys": keys}).fetchall())
    shown = {key: " ".join((text or "").split())[:ROW_LETTERS] for key, text in rows.items()}
    passages = {hit.key: " ".join(hit.passage.split())[:PASSAGE_LETTERS] for hit in hits if hit.passage is not None}
    return {hit.key: "" for hit in hits} | shown | passages
