"""Commands that only look: search, status, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from rowvec.cli.common import JsonOption, SourceArgument, connected, console, database, print_json


def status(
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every second, until Ctrl-C.")] = False,
) -> None:
    """Show every source: what waits, what failed, how far its backfill is."""
    from rowvec.admin import status as module

    with connected() as connection:
        if watch:
            module.watch(connection, console())
        elif as_json:
            print_json([row.as_dict() for row in module.read(connection)])
        else:
            console().print(module.table(module.read(connection)))


def doctor(
    daemon: Annotated[bool, typer.Option("--daemon", help="Only: has a daemon of this host a heartbeat?")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check server, pgvector, schema, pooler, triggers, models and daemons; exit 1 when something is broken."""
    from rowvec.admin import doctor as module
    from rowvec.daemon.registration import is_alive
    from rowvec.database.connection import connect
    from rowvec.settings import load

    settings = load()
    with database(settings) as url, connect(url, application="rowvec doctor") as connection:
        if daemon:
            raise typer.Exit(0 if is_alive(connection) else 1)
        findings = module.examine(connection, url, settings)
    if as_json:
        print_json([finding.as_dict() for finding in findings])
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
    from rowvec.database import sources
    from rowvec.search import hits

    with connected() as connection:
        found = hits.search(connection, sources.find(connection, source), text, k=k, filter_sql=filter_sql)
    if as_json:
        print_json([hit.as_dict() for hit in found])
    else:
        console().print(hits.table(found))
