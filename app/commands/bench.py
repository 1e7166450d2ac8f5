"""Commands that measure: bench encode."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import JsonOption, console, print_json

app = typer.Typer(no_args_is_help=True, help="Measure rowvec on this machine.")


@app.command()
def encode(
    artefact: Annotated[Path | None, typer.Option(metavar="DIR", help="An exported model; default: MiniLM.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured; medians are shown.")] = 5,
    scale: Annotated[float, typer.Option(min=0.01, help="Share of the texts.")] = 1.0,
    engine: Annotated[list[str] | None, typer.Option(help="Only this engine; repeat it for more.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure encoding against other libraries: same weights, same texts, same threads, interleaved."""
    from app import default_model
    from app.bench import encode as module
    from app.settings import load

    settings, say = load(), console(stderr=True)
    folder = artefact or default_model.exported(settings, say.print)
    report = module.run(
        folder, threads=settings.threads, rounds=rounds, scale=scale, engines=engine, progress=say.print
    )
    if as_json:
        print_json(report.as_dict())
        return
    for result in report.results:
        ratio = f"{result.ratio:5.2f}x" if result.ratio else "      "
        typer.echo(f"{result.corpus:16} {result.engine:24} {result.texts_per_second:10,.1f} texts/s {ratio}")
    for name, why in report.skipped.items():
        typer.echo(f"{name:24} skipped: {why}", err=True)
