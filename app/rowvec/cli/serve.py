"""Commands that make or run something: demo, up, migrate, daemon, psql."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rowvec.cli.common import connected, console, database

if TYPE_CHECKING:
    from rich.console import Console

    from rowvec.settings import Settings


def demo(
    rows: Annotated[int, typer.Option(min=100, help="How many texts, at most.")] = 3300,
) -> None:
    """Show the whole path on the docstrings of Python's standard library."""
    from rowvec.cli import demo as module
    from rowvec.database import embedded
    from rowvec.settings import load

    settings = load(database_url=None)  # never on somebody's own server, whatever the environment says
    with embedded.using(settings.home) as url:
        module.run(settings, url, rows, console())


def up() -> None:
    """Start the embedded server (unless ROWVEC_DATABASE_URL is set), migrate, add the default model, run the daemon."""
    from rowvec.cli import default_model
    from rowvec.daemon import process
    from rowvec.database.connection import connect
    from rowvec.database.translate import translated
    from rowvec.settings import load

    settings = load()
    with database(settings) as url, translated():
        out = console(stderr=True)
        _migrate(url, settings, out)
        with connect(url) as connection:
            default_model.ensure(connection, settings, out.print)
        if settings.database_url is None:
            out.print(f"server: {url}", soft_wrap=True)
            out.print("in another terminal: rowvec psql, then SELECT rowvec.watch('table', 'column');")
        process.run(settings, url)


def migrate() -> None:
    """Make or update the schema `rowvec` in the database; nothing happens when it is up to date."""
    from rowvec.database.translate import translated
    from rowvec.settings import load

    settings = load()
    with database(settings) as url, translated():
        _migrate(url, settings, console())


def _migrate(url: str, settings: Settings, out: Console) -> None:
    import rowvec_migrations
    from rowvec.database.connection import connect
    from rowvec.errors import DatabaseError
    from rowvec.search import loopback

    try:
        rowvec_migrations.upgrade(url)
    except rowvec_migrations.Unfinished as error:
        raise DatabaseError(str(error), hint="Run `rowvec migrate` again; what is not named is done.") from error
    with connect(url) as connection:
        out.print(f"schema rowvec is at {rowvec_migrations.current(connection)}")
        if settings.database_url is not None:  # the embedded server has no dblink, and uses the mailbox
            problem = loopback.setup_if_possible(connection)
            out.print(f"text in SQL: {problem or 'the loop-back connection is set up'}", soft_wrap=True)


def setup_loopback(
    host: Annotated[
        str | None, typer.Option(help="The server's address as it sees itself; default: found by trying.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The server's port as it sees itself; default: found by trying.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="A role without rights; default: one is made.")] = None,
    password: Annotated[
        str | None,
        typer.Option(envvar="ROWVEC_LOOPBACK_PASSWORD", help="Its password; better in ROWVEC_LOOPBACK_PASSWORD."),
    ] = None,
) -> None:
    """Store how the server connects to itself (dblink); rowvec.embed and search ask the daemon over it."""
    from rowvec.search import loopback

    with connected() as connection:
        made = loopback.setup_loopback(connection, host=host, port=port, user=user, password=password)
    typer.echo(f"the server reaches itself at {made.host}:{made.port} as {made.user}")


def daemon(
    once: Annotated[bool, typer.Option("--once", help="Stop when everything is embedded.")] = False,
) -> None:
    """Keep the vectors of every source in step, until SIGTERM or Ctrl-C."""
    from rowvec.daemon import process
    from rowvec.settings import load

    settings = load()
    with database(settings) as url:
        process.run(settings, url, once=once)


def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments for psql, after --.")] = None,
) -> None:
    """Open psql on the database (the embedded server's own psql where none is installed)."""
    import shutil
    import subprocess

    from rowvec.database.connection import libpq_environment
    from rowvec.database.server_programs import binaries
    from rowvec.settings import load

    with database(load()) as url:
        program = shutil.which("psql") or str(binaries() / "psql")
        # The URL may hold a password, which the list of processes must not show.
        code = subprocess.run([program, *(arguments or [])], env=libpq_environment(url), check=False).returncode
    raise typer.Exit(code)
