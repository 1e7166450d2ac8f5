"""The command line: names, help and exit codes. What a command does is in the module that it calls.

Everything heavy is imported inside the commands, so that `rowvec --help` answers in a fraction of a second and never
imports torch. Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings, 3 no server to be reached.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from rowvec import __version__
from rowvec.cli import bench, indexes, look, models, serve, sources
from rowvec.errors import RowvecError
from rowvec.extras import missing

app = typer.Typer(
    name="rowvec",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings, 3 no server to be reached.",
)
DEBUG = "--debug"


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"rowvec {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _debug: Annotated[bool, typer.Option(DEBUG, help="Show where an error comes from, as a traceback.")] = False,
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Insert a row, get a vector.

    rowvec keeps the vectors of a PostgreSQL table in step with its text, with a model that runs in this process.
    ROWVEC_DATABASE_URL names the server; without it, an embedded one is started in ROWVEC_HOME.
    """


_PANELS: dict[str, list[Callable[..., None]]] = {
    "Begin": [serve.demo, serve.up],
    "Sources": [
        sources.watch,
        sources.unwatch,
        sources.backfill,
        sources.wait,
        sources.retry,
        sources.swap,
        indexes.index,
    ],
    "Look": [look.search, look.status, sources.verify, look.doctor],
    "Run": [serve.migrate, serve.setup_loopback, serve.daemon, serve.psql],
}
for _panel, _commands in _PANELS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)
app.command(rich_help_panel="Models")(models.export)
app.add_typer(models.app, name="model", rich_help_panel="Models")
app.add_typer(bench.app, name="bench", rich_help_panel="Run")


def main() -> None:
    """Run the command line; an error of ours is one line on stderr, with what to do next, and an exit code."""
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        known = _in_our_words(error)
        if DEBUG in sys.argv:
            raise known  # noqa: B904  its traceback, and that of the error it came from
        message = " ".join(str(known).split())
        hint = f"{'' if message.endswith(('.', '!', '?')) else '.'} {known.hint}" if known.hint else ""
        mark = "\033[31mrowvec:\033[0m" if sys.stderr.isatty() else "rowvec:"
        print(f"{mark} {message}{hint}", file=sys.stderr)
        raise SystemExit(known.exit_code) from None


def _in_our_words(error: Exception) -> RowvecError:
    """Return an error of ours for whatever a command raised: the driver's, a missing package, a mistake of ours."""
    if isinstance(error, RowvecError):
        return error
    if isinstance(error, ModuleNotFoundError) and (lacking := missing(error)) is not None:
        return lacking
    from rowvec.database.translate import translated  # imports psycopg: only now, since most runs end well

    try:
        with translated():
            raise error
    except RowvecError as known:
        return known
    except Exception:
        return RowvecError(f"{type(error).__name__}: {error}", hint="Run it again with --debug to see where.")
