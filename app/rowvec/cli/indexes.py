"""The command about indexes: index."""

from __future__ import annotations

from typing import Annotated

import typer

from rowvec.cli.common import SourceArgument, connected, console, database
from rowvec.search.index_kinds import Choice


def index(
    source: SourceArgument,
    kind: Annotated[
        Choice, typer.Option(help="What it holds of a number: all 32 bits, half of them, or the sign.")
    ] = "auto",
    m: Annotated[int, typer.Option("-m", min=2, max=100, help="Neighbours of each vector.")] = 16,
    ef_construction: Annotated[int, typer.Option(min=4, max=1000, help="Candidates while it is built.")] = 64,
    memory: Annotated[str | None, typer.Option(help="maintenance_work_mem of the build, as in 2GB.")] = None,
    text: Annotated[str | None, typer.Option(metavar="LANGUAGE", help="Build the full text index instead.")] = None,
) -> None:
    """Build or rebuild a source's HNSW index, while reads and writes go on; after the backfill."""
    from rich.progress import Progress

    from rowvec.search.index_build import build, build_text
    from rowvec.search.index_plan import plan
    from rowvec.settings import load

    out = console(stderr=True)
    with database(load()) as url:
        if text is not None:
            typer.echo(build_text(url, source, text))
            return
        with connected() as connection:
            chosen = plan(connection, source, kind=kind, m=m, ef_construction=ef_construction)
        for warning in chosen.warnings:
            out.print(f"rowvec: {warning}", soft_wrap=True)
        with Progress(console=out) as bar:
            task = bar.add_task("starting", total=1.0)

            def show(phase: str, share: float) -> None:
                bar.update(task, description=phase, completed=share)

            name = build(url, chosen, memory=memory, on_progress=show)
    typer.echo(f"{name}: {chosen.kind}, about {chosen.facts.rows:,} rows")
