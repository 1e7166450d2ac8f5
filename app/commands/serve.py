"""Commands that make or run something: demo, up, migrate, daemon, psql."""

from __future__ import annotations

from typing import Annotated

import typer

from app.commands.common import console, database


def demo(
    rows: Annotated[int, typer.Option(min=100, help="How many texts, at most.")] = 5000,
) -> None:
    """Show the whole path on the docstrings of Python's standard library."""
    from app import demo as module
    from app import server
    from app.settings import load

    settings = load(database_url=None)  # never on somebody's own server, whatever the environment says
    with server.using(settings.home) as url:
        module.run(settings, url, rows, console())


def up() -> None:
    """Start the embedded server (unless ROWVEC_DATABASE_URL is set), migrate, add the default model, run the daemon."""
    import migrations
    from app import db, default_model, service
    from app.settings import load

    settings = load()
    with database(settings) as url:
        out = console(stderr=True)
        with db.translated():
            migrations.upgrade(url)
            with db.connect(url) as connection:
                default_model.ensure(connection, settings, out.print)
        out.print(f"Server: {url}" if settings.database_url is None else "Server: ROWVEC_DATABASE_URL")
        out.print("Try, in another terminal: rowvec psql, then SELECT rowvec.watch('table', 'column');")
        service.run(settings, url)


def migrate() -> None:
    """Make or update the schema `rowvec` in the database; nothing happens when it is up to date."""
    import migrations
    from app import db
    from app.settings import load

    with database(load()) as url, db.translated():
        migrations.upgrade(url)
        with db.connect(url) as connection:
            typer.echo(f"schema rowvec is at {migrations.current(connection)}")


def daemon(
    once: Annotated[bool, typer.Option("--once", help="Stop when everything is embedded.")] = False,
) -> None:
    """Keep the vectors of every source in step, until SIGTERM or Ctrl-C."""
    from app import service
    from app.settings import load

    settings = load()
    with database(settings) as url:
        service.run(settings, url, once=once)


def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments for psql, after --.")] = None,
) -> None:
    """Open psql on the database (the embedded server's own psql where none is installed)."""
    import shutil
    import subprocess

    from app import server
    from app.settings import load

    with database(load()) as url:
        program = shutil.which("psql") or str(server.binaries() / "psql")
        # The URL may hold a password, which the list of processes must not show.
        code = subprocess.run([program, *(arguments or [])], env=server.psql_environment(url), check=False).returncode
    raise typer.Exit(code)
