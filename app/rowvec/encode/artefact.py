"""The artefact on disk: read its manifest, check its files against their hashes, find it by its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rowvec.errors import ArtefactError

FORMAT = 1
NEEDED_FILES = ("model.pt", "tokenizer.json", "golden.json")
# What a vector depends on. Not in it: name, versions, parity, precision (the catalogue stamps that beside it).
IDENTITY = (
    "format",
    "architecture",
    "config_sha256",
    "chain",
    "dims",
    "max_tokens",
    "pad_id",
    "pooling",
    "include_prompt",
    "normalized",
    "similarity",
    "prompts",
    "tokenizer_sha256",
)
_EXPORT_AGAIN = "Export the model again: `rowvec export MODEL --out DIR`."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an exported model is; `fingerprint` is its identity, the rest says how to use it."""

    directory: Path
    name: str
    fingerprint: str
    dims: int
    max_tokens: int
    pad_id: int
    pooling: str
    normalized: bool
    similarity: str
    architecture: str
    matryoshka_dims: tuple[int, ...]
    prompts: Mapping[str, str]
    source: Mapping[str, Any]
    versions: Mapping[str, str]
    parity: Mapping[str, Any]
    files: Mapping[str, str]
    raw: Mapping[str, Any]  # the whole of manifest.json, for the catalogue

    def path(self, name: str) -> Path:
        """Return the path of one of the artefact's files."""
        return self.directory / name


def parse_manifest(directory: Path, raw: Mapping[str, Any]) -> Manifest:
    """Return the manifest that a decoded manifest.json holds; ArtefactError when it is not one that we can read."""
    found = raw.get("format")
    if found != FORMAT:
        raise ArtefactError(
            f"{directory}: artefact format {found!r}, this version of rowvec reads {FORMAT}", hint=_EXPORT_AGAIN
        )
    try:
        manifest = Manifest(
            directory=directory,
            name=str(raw["name"]),
            fingerprint=str(raw["fingerprint"]),
            dims=int(raw["dims"]),
            max_tokens=int(raw["max_tokens"]),
            pad_id=int(raw["pad_id"]),
            pooling=str(raw["pooling"]),
            normalized=bool(raw["normalized"]),
            similarity=str(raw["similarity"]),
            architecture=str(raw["architecture"]),
            matryoshka_dims=tuple(int(dims) for dims in raw.get("matryoshka_dims", ())),
            prompts=dict(raw["prompts"]),
            source=dict(raw["source"]),
            versions=dict(raw["versions"]),
            parity=dict(raw["parity"]),
            files=dict(raw["files"]),
            raw=dict(raw),
        )
    except KeyError as error:
        raise ArtefactError(f"{directory}: manifest.json has no {error}", hint=_EXPORT_AGAIN) from None
    except (TypeError, ValueError) as error:
        raise ArtefactError(f"{directory}: manifest.json: {error}", hint=_EXPORT_AGAIN) from None
    if manifest.dims < 1 or manifest.max_tokens < 1:
        raise ArtefactError(f"{directory}: manifest.json: dims and max_tokens must be positive", hint=_EXPORT_AGAIN)
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """Read an artefact's manifest and check the sha256 of every file that it names.

    A `model.pt` is a program: nothing of it is loaded before its hash is known to be right. Raises ArtefactError,
    naming the file, when the folder is missing, incomplete, unreadable, or not what the manifest says.
    """
    manifest = _load_manifest(directory)
    missing = [name for name in NEEDED_FILES if name not in manifest.files]
    if missing:
        raise ArtefactError(f"{directory}: manifest.json has no hash of {', '.join(missing)}", hint=_EXPORT_AGAIN)
    for name, expected in manifest.files.items():
        if Path(name).name != name:
            raise ArtefactError(f"{directory}: manifest.json names a file outside its folder: {name!r}")
        actual = _sha256(manifest.path(name))
        if actual != expected:
            raise ArtefactError(
                f"{manifest.path(name)}: sha256 {actual[:12]}…, the manifest says {expected[:12]}…",
                hint="The file was changed or copied badly. " + _EXPORT_AGAIN,
            )
    try:
        actual = fingerprint(manifest.raw)
    except (KeyError, TypeError) as error:
        raise ArtefactError(f"{directory}: manifest.json has no {error}", hint=_EXPORT_AGAIN) from None
    if actual != manifest.fingerprint:
        raise ArtefactError(
            f"{directory}: manifest.json gives the fingerprint {actual[:12]}…, and says {manifest.fingerprint[:12]}…",
            hint="The manifest was changed. " + _EXPORT_AGAIN,
        )
    return manifest


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces: the form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """Hex sha256 over the fields that a vector depends on, and over the weights."""
    fields = {key: manifest[key] for key in IDENTITY} | {"weights_sha256": manifest["source"]["sha256"]}
    return hashlib.sha256(canonical(fields)).hexdigest()


def find_artefact(models_dir: Path, fingerprint: str) -> Path:
    """Return the folder below `models_dir` whose manifest has this fingerprint; ArtefactError when there is none."""
    broken: list[str] = []
    if models_dir.is_dir():
        for candidate in sorted(models_dir.iterdir()):
            if not (candidate / "manifest.json").is_file():
                continue
            try:
                found = _load_manifest(candidate).fingerprint
            except ArtefactError as error:
                broken.append(str(error))
                continue
            if found == fingerprint:
                return candidate
    unreadable = f" (unreadable: {'; '.join(broken)})" if broken else ""
    raise ArtefactError(
        f"no model with fingerprint {fingerprint[:12]}… in {models_dir}{unreadable}",
        hint="Copy the exported folder there, or set ROWVEC_MODEL_DIR to where it is. " + _EXPORT_AGAIN,
    )


def _load_manifest(directory: Path) -> Manifest:
    path = directory / "manifest.json"
    try:
        raw = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ArtefactError(f"{directory}: no exported model here (no manifest.json)", hint=_EXPORT_AGAIN) from None
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path}: {error}", hint=_EXPORT_AGAIN) from None
    if not isinstance(raw, dict):
        raise ArtefactError(f"{path}: not a JSON object", hint=_EXPORT_AGAIN)
    return parse_manifest(directory, raw)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror or error}", hint=_EXPORT_AGAIN) from None
