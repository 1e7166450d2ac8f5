"""Exports that several tests look at, each made once; and one thread, for tiny models only wait on more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from export import sweep
from export.exporter import Exported, export_model
from tests.export import tiny

Export = Callable[[str], Exported]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # for the processes that the exporter starts
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Export a tiny random model of an architecture, through every gate; made once in a session."""
    made: dict[str, Exported] = {}

    def export(architecture: str) -> Exported:
        if architecture not in made:
            home = tmp_path_factory.mktemp(architecture)
            source = tiny.make(home / "source", architecture, new_files=len(architecture) % 2 == 0)
            made[architecture] = export_model(str(source), home / "artefact", name=f"tiny-{architecture}")
        return made[architecture]

    return export


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the last gate in this process: a new interpreter costs two seconds, and the architectures' tests pay them."""

    def here(folder: Path, plan: Path) -> dict[str, object]:
        return sweep.sweep(folder, plan) | {"imported": []}

    monkeypatch.setattr(sweep, "in_fresh_process", here)
