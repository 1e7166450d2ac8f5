"""Commands that measure: bench encode, sync, search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    if plot:
        plot.write_text(pictures.encode(report.as_dict()), encoding="utf-8")
    if as_json:
        print_json(report.as_dict())
        return
    for result in report.results:
        ratio = f"{result.ratio:5.2f}x" if result.ratio else "      "
        typer.echo(f"{result.corpus:16} {result.engine:24} {result.texts_per_second:10,.1f} texts/s {ratio}")
    for name, why in report.skipped.items():
        typer.echo(f"{name:24} skipped: {why}", err=True)


@app.command()
def sync(
    writers: Annotated[bool, typer.Option("--writers", help="Only what the triggers cost those who write.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="Rows to drain.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="Pairs of each statement; medians are shown.")] = 9,
    chunks: Annotated[
        bool, typer.Option("--chunks", help="Only what cutting texts into chunks costs, with the default model.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the change log with an encoder that is free: cost on writers, rows/s, latency. Makes its own tables."""
    from rowvec.bench import sync as module
    from rowvec.settings import load

    settings, say = load(), console(stderr=True)
    if chunks:
        _chunks(settings, rounds=rounds, as_json=as_json)
        return
    with database(settings) as url:
        report = module.run(url, settings, writers_only=writers, rows=rows, rounds=rounds, progress=say.print)
    if as_json:
        print_json(report.as_dict())
        return
    for writer in report.writers:
        times = f"{writer.watched_ms:10.3f} ms watched {writer.unwatched_ms:10.3f} ms unwatched"
        typer.echo(f"{writer.statement:40} {times} {writer.ratio:5.2f}x")
    if report.drain_rows_per_second:
        typer.echo(f"claim, encode for nothing, write: {report.drain_rows_per_second:,.0f} rows/s")
        typer.echo("INSERT to vector: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in report.latency_ms.items()))


@contextmanager
def _default_model(settings: Settings, say: Console) -> Iterator[TorchScriptEncoder]:
    """Load the default model, exported if need be, for a measurement that needs a real one."""
    from rowvec.cli import default_model
    from rowvec.encode.load import load as load_encoder

    model = load_encoder(
        default_model.exported(settings, say.print),
        fingerprint=None,
        precision=settings.precision,
        threads=settings.threads,
        max_batch_tokens=settings.max_batch_tokens,
    )
    try:
        yield model
    finally:
        model.close()


def _chunks(settings: Settings, *, rounds: int, as_json: bool) -> None:
    from rowvec.bench import chunks as module

    say = console(stderr=True)
    with _default_model(settings, say) as model, database(settings) as url:
        report = module.run(url, settings, model, rounds=rounds, progress=say.print)
    if as_json:
        print_json(report.as_dict())
        return
    typer.echo(f"{report.documents} documents, {report.chunks} chunks, {report.tokens:,} tokens, {settings.precision}")
    typer.echo(f"with chunks:        {report.with_chunks_tokens_per_second:,.0f} tokens/s")
    typer.echo(f"a row for each:     {report.without_tokens_per_second:,.0f} tokens/s")
    typer.echo(f"ratio:              {report.ratio:.3f} ({min(report.ratios):.3f} to {max(report.ratios):.3f})")
    typer.echo(f"ratio by CPU time:  {report.cpu_ratio:.3f}")


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
    if plot:
        plot.write_text(pictures.search(report.as_dict()), encoding="utf-8")
    if as_json:
        print_json(report.as_dict())
        return
    for result in report.results:
        typer.echo(module.line(result))
    typer.echo(
        f"text to vector: {report.text_way}, p50 {report.text_p50_ms:.2f} ms, p99 {report.text_p99_ms:.2f} ms;"
        f" the encoder alone {report.encoder_p50_ms:.2f} ms"
    )
