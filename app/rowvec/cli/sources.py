"""Commands about sources: watch, unwatch, backfill, wait, retry."""

from __future__ import annotations

from typing import Annotated

import typer

from rowvec.cli.common import JsonOption, SourceArgument, client, connected, console, database, print_json


def watch(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The table, with its schema if needed.")],
    text: Annotated[list[str], typer.Option("--text", metavar="COLUMN", help="A text column; repeat it for more.")],
    name: Annotated[str | None, typer.Option(help="The source's name; default: the table's.")] = None,
    model: Annotated[str | None, typer.Option(help="A model's name; default: the default model.")] = None,
    template: Annotated[str | None, typer.Option(help="How the text is made, as in '{title}: {body}'.")] = None,
    into_column: Annotated[str | None, typer.Option(help="Keep the vector in this column of the table.")] = None,
    chunk_tokens: Annotated[int | None, typer.Option(help="Cut long texts into chunks of so many tokens.")] = None,
    chunk_overlap: Annotated[int, typer.Option(help="Tokens that neighbouring chunks share.")] = 0,
    backfill: Annotated[bool, typer.Option(help="Embed the rows that are there already.")] = True,
    if_not_exists: Annotated[bool, typer.Option("--if-not-exists", help="Do nothing when it is watched.")] = False,
    on_overflow: Annotated[
        str, typer.Option(help="A text beyond the model's limit: truncate, error or chunk.")
    ] = "truncate",
    store_text: Annotated[bool, typer.Option("--store-text", help="Keep each chunk's text beside its vector.")] = False,
    document_prompt: Annotated[str | None, typer.Option(help="Put before each text; default: the model's.")] = None,
    query_prompt: Annotated[str | None, typer.Option(help="Put before each query; default: the model's.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Change the recipe; what differs is embedded again.")
    ] = False,
    index: Annotated[str | None, typer.Option(help="auto: the daemon makes the index when it is time.")] = None,
) -> None:
    """Keep vectors for a table's text, from now on; the running daemon notices by itself."""
    options = {name: value for name, value in locals().items() if name not in ("table", "text")}
    with client() as rowvec:
        made = rowvec.watch(table, text, **options)
    typer.echo(f"watching {table} as source {made.name}")


def unwatch(
    source: SourceArgument,
    drop_vectors: Annotated[bool, typer.Option("--drop-vectors", help="Drop the vector table too.")] = False,
) -> None:
    """End a source; its vectors stay unless asked."""
    with client() as rowvec:
        rowvec.unwatch(source, drop_vectors=drop_vectors)
    typer.echo(f"source {source} is not watched any more")


def swap(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The name that searches use.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another source of the same table, filled.")],
) -> None:
    """Exchange the names of two sources of one table, to go over to another model without a gap."""
    with connected() as connection:
        connection.execute("SELECT rowvec.swap(%s, %s)", [old, new])
    typer.echo(f"searches of {old} find what was {new}; when all is well: rowvec unwatch {new} --drop-vectors")


def backfill(source: SourceArgument) -> None:
    """Embed what is missing or differs, with a progress bar; here, when no daemon runs. A stopped one is resumed."""
    from rowvec.admin import progress
    from rowvec.daemon import process
    from rowvec.database.connection import connect
    from rowvec.settings import load

    settings, out = load(), console(stderr=True)
    with database(settings) as url, connect(url, application="rowvec cli") as connection:
        now = progress.read(connection, source)
        if now.backfill in (None, "done"):
            connection.execute("SELECT rowvec.recheck(%s)", [source])
        if now.daemons:
            progress.follow(connection, source, out, lambda: None)
        else:
            with process.background(settings, url) as running:
                progress.follow(connection, source, out, running.check)


def wait(
    source: SourceArgument,
    timeout_seconds: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait at most.")] = 30.0,
) -> None:
    """Return when every change committed so far, and the backfill, is searchable."""
    with client(transaction=False) as rowvec:
        rowvec.wait(source, timeout_seconds)


def retry(
    source: SourceArgument,
    key: Annotated[str | None, typer.Option(help="Only this key.")] = None,
) -> None:
    """Try again what failed: dead letters go back to the change log, waiting retries become due."""
    with client() as rowvec:
        count = rowvec.retry(source, key)
    typer.echo(f"{count} keys will be tried again")


def verify(
    source: SourceArgument,
    repair: Annotated[bool, typer.Option("--repair", help="Log what is not as it should be, for the daemon.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare every row's text with its vector's hash: missing, stale, orphaned; exit 1 when there is any."""
    from rowvec.admin import verify as module
    from rowvec.database import sources

    with connected() as connection:
        report = module.verify(connection, sources.find(connection, source), repair=repair)
    counts = {name: getattr(report, name) for name in ("rows", "missing", "stale", "wrong_model", "orphan")}
    if as_json:
        print_json(counts)
    else:
        typer.echo(", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items()))
    if not report.ok and not repair:
        raise typer.Exit(1)
