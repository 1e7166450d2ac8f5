"""The command about indexes: index."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from rowvec.cli.common import SourceArgument, connected, console, database


class KindOption(StrEnum):
    """What the index holds of a vector."""

    auto = "auto"
    vector = "vector"
    halfvec = "halfvec"
    bit = "bit"


def index(
    source: SourceArgument,
    kind: Annotated[KindOption, typer.Option(help="What it holds: all bits, half of them, or one a dimension.")] = (
        KindOption.auto
    ),
    m: Annotated[int, typer.Option("-m", min=2, max=100, help="Neighbours of each vector.")] = 16,
    ef_construction: Annotated[int, typer.Option(min=4, max=1000, help="Candidates while it is built.")] = 64,
    memory: Annotated[str | None, typer.Option(help="maintenance_work_mem of the build, as in 2GB.")] = None,
    text: Annotated[str | None, typer.Option(metavar="LANGUAGE", help="Build the full text index instead.")] = None,
) -> None:
    """Build or rebuild a source's HNSW index, while reads and writes go on; after the backfill."""
    from rich.progress import Progress

    from rowvec.search import index as module
    from rowvec.settings import load

    out = console(stderr=True)
    with database(load()) as url:
        if text is not None:
            typer.echo(module.build_text(url, source, text))
            return
        with connected() as connection:
            chosen = module.plan(connection, source, kind=kind.value, m=m, ef_construction=ef_construction)
        for warning in chosen.warnings:
            out.print(f"rowvec: {warning}", soft_wrap=True)
        with Progress(console=out) as bar:
            task = bar.add_task("starting", total=1.0)
            name = module.build(
                url,
                chosen,
                memory=memory,
                on_progress=lambda phase, share: bar.update(task, description=phase, completed=share),
            )
    typer.echo(f"{name}: {chosen.kind}, about {chosen.rows:,} rows")
