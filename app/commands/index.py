"""Commands of the vectors' index: index, and bench search."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import typer

from app.commands.common import JsonOption, SourceArgument, console, database, print_json


class Kind(StrEnum):
    """What the index holds."""

    auto = "auto"
    vector = "vector"
    halfvec = "halfvec"
    bit = "bit"


KINDS: dict[Kind, Literal["vector", "halfvec", "bit"]] = {
    Kind.vector: "vector",
    Kind.halfvec: "halfvec",
    Kind.bit: "bit",
}


def index(
    source: SourceArgument,
    kind: Annotated[Kind, typer.Option(help="What the index holds; auto: by dims and rows.")] = Kind.auto,
    m: Annotated[int, typer.Option("--m", min=2, max=100, help="Neighbours of a vector in the graph.")] = 16,
    ef_construction: Annotated[int, typer.Option(min=4, max=1000, help="Candidates while the graph is built.")] = 64,
    memory: Annotated[str | None, typer.Option(help="maintenance_work_mem of the build, as in 2GB.")] = None,
    text: Annotated[
        str | None, typer.Option(metavar="LANGUAGE", help="Build the full text index of hybrid_search instead.")
    ] = None,
) -> None:
    """Build the HNSW index of a source, or build it anew; reads and writes go on meanwhile."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from app import db
    from app import index as module
    from app.settings import load

    settings, say = load(), console(stderr=True)
    with database(settings) as url:
        if text is not None:
            typer.echo(f"index {module.build_text(url, source, text)} is ready")
            return
        with db.connect(url, application="rowvec index") as connection:
            chosen = module.plan(connection, source, kind=KINDS.get(kind, "auto"), m=m, ef_construction=ef_construction)
        for warning in chosen.warnings:
            say.print(f"warning: {warning}", soft_wrap=True)
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn(),
            console=say, transient=True,
        ) as bar:  # fmt: skip
            task = bar.add_task("index", total=1.0)

            def show(phase: str, share: float) -> None:
                bar.update(task, description=phase, completed=share)

            name = module.build(url, chosen, memory=memory, on_progress=show)
    typer.echo(f"index {name} ({chosen.kind}) is ready")


def bench_search(
    rows: Annotated[int, typer.Option(min=1000, help="Rows of the table that is searched.")] = 100_000,
    dims: Annotated[int, typer.Option(min=2, max=2000, help="Dims of its vectors.")] = 384,
    queries: Annotated[int, typer.Option(min=1, help="Queries of each case.")] = 200,
    kind: Annotated[list[Kind] | None, typer.Option(help="Only this kind of index; repeat it for more.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure recall and latency of search against hand-written SQL, in a database of its own."""
    from app.bench import search as module
    from app.settings import load

    say = console(stderr=True)
    chosen = [KINDS[each] for each in kind or KINDS if each in KINDS]
    with database(load()) as url:
        report = module.run(url, rows=rows, dims=dims, queries=queries, kinds=chosen, progress=say.print)
    if as_json:
        print_json(report.as_dict())
        return
    for result in report.results:
        typer.echo(module.line(result))
    typer.echo(f"text to vector: {report.text_way}, p50 {report.text_p50_ms:.2f} ms, p99 {report.text_p99_ms:.2f} ms")
