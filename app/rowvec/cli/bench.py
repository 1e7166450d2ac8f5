"""Commands that measure: bench encode, sync, search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from rowvec.cli.common import JsonOption, console, database, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from rowvec.encode.torchscript import TorchScriptEncoder
    from rowvec.search.index_kinds import Kind
    from rowvec.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Measure rowvec on this machine.")


class KindOption(StrEnum):  # typer takes no list of a Literal
    """What an index holds of a vector."""

    vector = "vector"
    halfvec = "halfvec"
    bit = "bit"


PlotOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture of it, SVG.")]


class Report(Protocol):
    """What a measurement found."""

    def as_dict(self) -> dict[str, Any]:
        """Return everything, for JSON."""

    def lines(self) -> Iterator[str]:
        """Give it as lines of text."""


@app.command()
def encode(
    artefact: Annotated[Path | None, typer.Option(metavar="DIR", help="An exported model; default: MiniLM.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured; medians are shown.")] = 5,
    scale: Annotated[float, typer.Option(min=0.01, help="Share of the texts.")] = 1.0,
    engine: Annotated[list[str] | None, typer.Option(help="Only this engine; repeat it for more.")] = None,
    plot: PlotOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure encoding against other libraries: same weights, same texts, same threads, interleaved."""
    from rowvec.bench import encode as module
    from rowvec.bench import plot as pictures
    from rowvec.cli import default_model
    from rowvec.settings import load

    settings, say = load(), console(stderr=True)
    folder = artefact or default_model.exported(settings, say.print)
    report = module.run(
        folder, threads=settings.threads, rounds=rounds, scale=scale, engines=engine, progress=say.print
    )
    _show(report, as_json, plot, pictures.encode)
    for name, why in report.skipped.items() if not as_json else ():
        typer.echo(f"{name:24} skipped: {why}", err=True)


@app.command()
def sync(
    writers: Annotated[bool, typer.Option("--writers", help="Only what the triggers cost those who write.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="Rows to drain.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="Pairs of each statement; medians are shown.")] = 9,
    chunks: Annotated[
        bool, typer.Option("--chunks", help="Only what splitting texts into chunks costs, with the default model.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the change log with an encoder that is free: cost on writers, rows/s, latency. Makes its own tables."""
    from rowvec.bench import chunks as chunked
    from rowvec.bench import sync as module
    from rowvec.settings import load

    settings, say = load(), console(stderr=True)
    report: Report
    if chunks:
        with _default_model(settings, say) as model, database(settings) as url:
            report = chunked.run(url, settings, model, rounds=rounds, progress=say.print)
    else:
        with database(settings) as url:
            report = module.run(url, settings, writers_only=writers, rows=rows, rounds=rounds, progress=say.print)
    _show(report, as_json)


@app.command()
def search(
    rows: Annotated[int, typer.Option(min=1000, help="Rows of the table that is searched.")] = 100_000,
    dims: Annotated[int, typer.Option(min=2, max=2000, help="Dims of its vectors.")] = 384,
    queries: Annotated[int, typer.Option(min=1, help="Queries of each case.")] = 200,
    kind: Annotated[list[KindOption] | None, typer.Option(help="Only this kind of index; repeat it for more.")] = None,
    plot: PlotOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure search against brute force and hand-written SQL: recall, latency. Makes a database, and drops it."""
    from rowvec.bench import plot as pictures
    from rowvec.bench import search as module
    from rowvec.settings import load

    settings, say = load(), console(stderr=True)
    with _default_model(settings, say) as model, database(settings) as url:
        kinds: list[Kind] = [one.value for one in kind or KindOption]
        report = module.run(url, rows=rows, dims=dims, queries=queries, kinds=kinds, encoder=model, progress=say.print)
    _show(report, as_json, plot, pictures.search)


@contextmanager
def _default_model(settings: Settings, say: Console) -> Iterator[TorchScriptEncoder]:
    """Load the default model, exported if need be, for a measurement that needs a real one."""
    from rowvec.cli import default_model
    from rowvec.encode.load import load

    model = load(
        default_model.exported(settings, say.print),
        precision=settings.precision,
        threads=settings.threads,
        max_batch_tokens=settings.max_batch_tokens,
    )
    try:
        yield model
    finally:
        model.close()


def _show(
    report: Report, as_json: bool, plot: Path | None = None, picture: Callable[[dict[str, Any]], str] | None = None
) -> None:
    if plot and picture:
        plot.write_text(picture(report.as_dict()), encoding="utf-8")
    if as_json:
        print_json(report.as_dict())
    else:
        for line in report.lines():
            typer.echo(line)
