"""What every command needs: the server to talk to, a connection, and where to print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from psycopg import Connection
    from rich.console import Console

    from rowvec.client import Client
    from rowvec.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name.", show_default=False)]


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Give the URL of the server: the one that is set, or the embedded one, held until the command ends."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
    else:
        from rowvec.database import embedded

        with embedded.using(settings.home) as url:
            yield url


@contextmanager
def connected() -> Iterator[Connection]:
    """Give a connection that may run long statements; errors of the server come in our words."""
    from rowvec.database.connection import connect
    from rowvec.database.translate import translated
    from rowvec.settings import load

    # Statements without a bound: wait and a big watch take as long as they take.
    with (
        database(load()) as url,
        connect(url, application="rowvec cli", statement_seconds=0) as connection,
        translated(),
    ):
        yield connection


@contextmanager
def client(*, transaction: bool = True) -> Iterator[Client]:
    """Give a client, and show the server's notices. In a transaction, our session settings hold behind a pooler too."""
    from rowvec.client import Client

    with connected() as connection, connection.transaction() if transaction else nullcontext():
        connection.add_notice_handler(lambda notice: typer.echo(f"rowvec: {notice.message_primary}", err=True))
        yield Client(connection)


def console(*, stderr: bool = False) -> Console:
    """Make a rich console; without a terminal, lines are long enough not to be broken."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=160)


def print_json(value: Any) -> None:
    """Print a value as JSON, dates and paths as text."""
    typer.echo(json.dumps(value, default=str, ensure_ascii=False, indent=2))
