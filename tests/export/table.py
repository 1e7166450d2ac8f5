"""Writes docs/reference/models.md from exports made now: `python -m tests.export.table`; a test holds it to them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from rowvec_export.exporter import export_model
from rowvec_export.pooling import MODES
from rowvec_export.refusals import MODEL_TYPES, MODULES
from tests.export import tiny

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "models.md"
HEADER = """<!-- Written by `python -m tests.export.table` from exports that it makes; do not edit. -->

# Models

What `rowvec export` takes, and how near its files come to [sentence-transformers](https://sbert.net) {version}. Each
row is a model that went through every gate of the exporter. Those called *tiny* are random models of the architecture
(2 or 3 layers, 32 wide), made by the tests: they show that the program is the same, not that a model is good. How to
export, and what the gates are: [how-to](../how-to/export-a-model.md). What cannot be done, and why:
[explanation](../explanation/exporter.md).

- **difference**: the largest absolute difference of any number of any vector to sentence-transformers' own, over
  more than 200 texts of 1 token to the model's limit (at most 1e-5 is allowed).
- **batch**: the most that a text's vector moves when its batch, its padding or its neighbours change (at most 1e-6).
- **oneDNN**: the difference between the file's plain kernels and the prepacked ones that the daemon uses.
- **bf16**: the least cosine to the fp32 vectors when bf16 is asked for. Random weights are harder on it than real ones.

"""
COLUMNS = ("architecture", "model", "pooling", "padded on", "limit", "difference", "batch", "oneDNN", "bf16")


def row(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """One line of the table."""
    parity = manifest["parity"]
    architecture = str(manifest["architecture"])
    made = tiny.ARCHITECTURES.get(architecture)
    kernels = parity["kernels"]
    return (
        f"`{architecture}`",
        "tiny" if manifest["name"].startswith("tiny-") else str(manifest["name"]),
        str(manifest["pooling"]),
        made.padding_side if made is not None else "right",
        f"{manifest['max_tokens']:,}",
        f"{parity['max_abs']:.0e}",
        f"{parity['batch_invariance']:.0e}",
        f"{kernels['onednn']:.0e}" if "onednn" in kernels else "-",
        f"{kernels['bf16']:.5f}" if "bf16" in kernels else "-",
    )


def render(manifests: Iterable[Mapping[str, Any]]) -> str:
    """The page."""
    manifests = list(manifests)
    version = manifests[0]["versions"]["sentence_transformers"]
    lines = [_line(COLUMNS), _line("---" for _ in COLUMNS), *(_line(row(manifest)) for manifest in manifests)]
    return HEADER.format(version=version) + "\n".join(lines) + "\n" + _rest()


def without_measurements(page: str) -> str:
    """The page with measured numbers and versions replaced: they differ by machine, and a CPU without bf16 has none."""
    return re.sub(r"\b\de[-+]\d\d\b|\b[01]\.\d{5}\b|\b\d+\.\d+\.\d+\b|(?<=\| )-(?= \|$)", "#", page, flags=re.M)


def sources(home: Path) -> Iterable[tuple[str, str]]:
    """(MODEL, name) of every row: the architectures, a static model, the packaged MiniLM."""
    for index, architecture in enumerate(tiny.ARCHITECTURES):
        yield str(tiny.make(home / architecture, architecture, new_files=index % 2 == 0)), f"tiny-{architecture}"
    yield str(tiny.make_static(home / "static")), "tiny-static"
    yield "all-MiniLM-L6-v2", "all-MiniLM-L6-v2"


def _rest() -> str:
    names = ", ".join(f"`{name}`" for name in dict.fromkeys((*MODULES, *MODEL_TYPES)))
    modes = ", ".join(f"`{mode}`" for mode in MODES)
    return f"""
Beside the transformer: the poolings {modes}, any of them joined (`cls+mean`), and a model's own `pooler`; `Dense` (with
its residual), `LayerNorm`, `Normalize`, Matryoshka cuts, prompts that are pooled or not (`include_prompt`). Both
generations of sentence-transformers' files are read, and a plain transformers folder with `--pooling`.

Refused by name: {names}; unmerged adapters, mixtures of experts, quantised weights, remote code and pickled weights
without their flags, and vectors beyond 4,000 dimensions.
"""


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Export everything and write the page."""
    torch.set_num_threads(1)
    manifests = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for model, name in sources(home / "sources"):
            manifests.append(export_model(model, home / "out" / name, name=name).manifest)
            print(_line(row(manifests[-1])))
    PAGE.write_text(render(manifests), encoding="utf-8")


if __name__ == "__main__":
    main()
