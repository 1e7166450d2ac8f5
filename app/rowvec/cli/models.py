"""Commands about models: export, and model add, list, inspect, verify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rowvec.cli.common import JsonOption, connected, console, print_json

if TYPE_CHECKING:
    from rowvec_export.exporter import Exported

app = typer.Typer(no_args_is_help=True, help="Add, list, inspect and verify models.")
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an exported model.", show_default=False)]


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A folder, a packaged model's name or a hub id.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write.", show_default=False)],
    name: Annotated[str | None, typer.Option(help="The model's name; default: the last part of MODEL.")] = None,
    revision: Annotated[str | None, typer.Option(help="The hub's revision.")] = None,
    pooling: Annotated[str | None, typer.Option(help="mean, cls, …; default: what the model declares.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=8, help="Longest text; default: what the model declares.")
    ] = None,
    dims: Annotated[int | None, typer.Option(min=1, help="Cut the vectors to this size (Matryoshka models).")] = None,
    trust_remote_code: Annotated[bool, typer.Option(help="Run Python code that comes with the model.")] = False,
    allow_pickle: Annotated[bool, typer.Option(help="Read weights that are pickles, which can run code.")] = False,
) -> None:
    """Export a Hugging Face or sentence-transformers model to TorchScript, and prove its numbers."""
    options = {name: value for name, value in locals().items() if name not in ("model", "out")}
    done = run_export(model, out, console(stderr=True).print, **options)
    typer.echo(f"{done.name} {done.manifest['dims']} dims, fingerprint {done.fingerprint[:12]}, in {done.directory}")


def run_export(model: str, out: Path, say: Callable[[str], None], **options: Any) -> Exported:
    """Export a model: the one door from the runtime to the exporter, which imports transformers."""
    from rowvec.errors import SettingsError

    try:
        from rowvec_export.exporter import export_model
    except ModuleNotFoundError as error:  # torch too, which a smaller extra would bring
        raise SettingsError(f"{error.name} is not installed", hint="pip install 'rowvec[export]'") from None
    return export_model(model, out, progress=say, **options)


@app.command()
def add(
    directory: Folder,
    default: Annotated[bool, typer.Option("--default", help="Make it the model of new sources.")] = False,
) -> None:
    """Add an exported model to the database, so that sources can use it."""
    from rowvec.admin import models
    from rowvec.settings import load

    settings = load()
    with connected() as connection:
        added = models.add_model(connection, directory, precision=settings.precision, default=default)
    typer.echo(f"model {added.name}, {added.dims} dims, fingerprint {added.fingerprint[:12]}")


@app.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List the models of the database, and which of them lie in the model folder."""
    from rowvec.admin import models
    from rowvec.settings import load

    with connected() as connection:
        rows = models.models(connection, load().models)
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        console().print(models.table(rows))


@app.command()
def inspect(directory: Folder, as_json: JsonOption = False) -> None:
    """Show what an exported model is."""
    from rowvec.encode.artefact import read_manifest

    raw = dict(read_manifest(directory).raw)
    if as_json:
        print_json(raw)
    else:
        for key, value in raw.items():
            typer.echo(f"{key:16} {value}")


@app.command()
def verify(directory: Folder) -> None:
    """Check an exported model's files, load it, and encode its golden texts."""
    from rowvec.encode.artefact import read_manifest
    from rowvec.encode.load import load as load_encoder
    from rowvec.settings import load

    settings = load()
    manifest = read_manifest(directory)
    loaded = load_encoder(
        directory, fingerprint=None, precision=settings.precision, threads=settings.threads, max_batch_tokens=None
    )
    loaded.close()
    typer.echo(f"{manifest.name}: files, fingerprint and golden vectors are right")
