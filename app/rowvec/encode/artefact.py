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
FILES = ("model.pt", "tokenizer.json", "golden.json")  # beside manifest.json, which holds their hashes
# What a vector depends on. Not in it: name, versions, parity, precision (the catalogue holds that one beside it).
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


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an exported model is: its identity, and what the runtime needs to know of it."""

    directory: Path
    name: str
    fingerprint: str
    dims: int
    max_tokens: int
    pad_id: int
    similarity: str
    prompts: Mapping[str, str]
    versions: Mapping[str, str]
    files: Mapping[str, str]  # name: hex sha256
    raw: Mapping[str, Any]  # the whole of manifest.json, for the catalogue

    def path(self, name: str) -> Path:
        """Return the path of one of the artefact's files."""
        return self.directory / name


def parse_manifest(directory: Path, raw: Mapping[str, Any]) -> Manifest:
    """Return the manifest that a decoded manifest.json holds; ArtefactError when it is not one that we can read."""
    if raw.get("format") != FORMAT:
        raise _broken(f"{directory}: artefact format {raw.get('format')!r}, this version of rowvec reads {FORMAT}")
    try:
        manifest = Manifest(
            directory=directory,
            name=str(raw["name"]),
            fingerprint=str(raw["fingerprint"]),
            dims=int(raw["dims"]),
            max_tokens=int(raw["max_tokens"]),
            pad_id=int(raw["pad_id"]),
            similarity=str(raw["similarity"]),
            prompts=dict(raw["prompts"]),
            versions=dict(raw["versions"]),
            files=dict(raw["files"]),
            raw=dict(raw),
        )
    except KeyError as error:
        raise _broken(f"{directory}: manifest.json has no {error}") from None
    except (TypeError, ValueError) as error:
        raise _broken(f"{directory}: manifest.json: {error}") from None
    if manifest.dims < 1 or manifest.max_tokens < 1:
        raise _broken(f"{directory}: manifest.json: dims and max_tokens must be positive")
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """Read an artefact's manifest and check the sha256 of every file that it names.

    A `model.pt` is a program: nothing of it is loaded before its hash is known to be right. Raises ArtefactError,
    naming the file, when the folder is missing, incomplete, unreadable, or not what the manifest says.
    """
    manifest = _load_manifest(directory)
    if missing := [name for name in FILES if name not in manifest.files]:
        raise _broken(f"{directory}: manifest.json has no hash of {', '.join(missing)}")
    for name, expected in manifest.files.items():
        if Path(name).name != name:
            raise _broken(f"{directory}: manifest.json names a file outside its folder: {name!r}")
        try:
            actual = file_sha256(manifest.path(name))
        except OSError as error:
            raise _broken(f"{manifest.path(name)}: {error.strerror or error}") from None
        if actual != expected:
            raise _broken(
                f"{manifest.path(name)}: sha256 {actual[:12]}…, the manifest says {expected[:12]}…",
                "The file was changed or copied badly. ",
            )
    try:
        actual = fingerprint(manifest.raw)
    except (KeyError, TypeError) as error:
        raise _broken(f"{directory}: manifest.json has no {error}") from None
    if actual != manifest.fingerprint:
        raise _broken(
            f"{directory}: manifest.json gives the fingerprint {actual[:12]}…, and says {manifest.fingerprint[:12]}…",
            "The manifest was changed. ",
        )
    return manifest


def find_artefact(models_dir: Path, fingerprint: str) -> Path:
    """Return the folder below `models_dir` whose manifest has this fingerprint; ArtefactError when there is none."""
    broken: list[str] = []
    for path in sorted(models_dir.glob("*/manifest.json")):
        try:
            if _load_manifest(path.parent).fingerprint == fingerprint:
                return path.parent
        except ArtefactError as error:
            broken.append(str(error))
    unreadable = f" (unreadable: {'; '.join(broken)})" if broken else ""
    raise _broken(
        f"no model with fingerprint {fingerprint[:12]}… in {models_dir}{unreadable}",
        "Copy the exported folder there, or set ROWVEC_MODEL_DIR to where it is. ",
    )


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """Hex sha256 over the fields that a vector depends on, and over the weights."""
    return json_sha256({key: manifest[key] for key in IDENTITY} | {"weights_sha256": manifest["source"]["sha256"]})


def json_sha256(value: object) -> str:
    """Hex sha256 of a value's JSON with sorted keys and no spaces."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load_manifest(directory: Path) -> Manifest:
    path = directory / "manifest.json"
    try:
        raw = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise _broken(f"{directory}: no exported model here (no manifest.json)") from None
    except (OSError, ValueError) as error:
        raise _broken(f"{path}: {error}") from None
    if not isinstance(raw, dict):
        raise _broken(f"{path}: not a JSON object")
    return parse_manifest(directory, raw)


def _broken(message: str, hint: str = "") -> ArtefactError:
    return ArtefactError(message, hint=hint + "Export the model again: `rowvec export MODEL --out DIR`.")
