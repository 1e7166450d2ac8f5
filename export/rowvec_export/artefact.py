"""The artefact's folder: model.pt, tokenizer.json, manifest.json, golden.json; written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from rowvec.encode.artefact import FILES, Manifest, file_sha256, parse_manifest, read_manifest
from rowvec.encode.kernels import quiet_torchscript
from rowvec.errors import ArtefactError, ExportRefused


def existing(out: Path) -> Manifest | None:
    """The manifest of the artefact that lies at `out`, if there is a complete and unchanged one."""
    try:
        return read_manifest(out)
    except ArtefactError:
        return None


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give an empty folder beside `out`; rename it to `out` if the block ends well, remove it if not.

    An older artefact at `out` is replaced; a folder that is not an artefact is refused.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "manifest.json").is_file())):
        raise ExportRefused(f"{out} exists and is not a model's folder; choose another --out.")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield temporary
        temporary.chmod(0o755)  # mkdtemp makes it private; a daemon may run as another user
        _replace(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_model(folder: Path, module: torch.jit.ScriptModule, tokenizer: Tokenizer) -> None:
    """Write model.pt and tokenizer.json."""
    whole = folder / "whole.pt"
    with quiet_torchscript():
        torch.jit.save(module, str(whole))
    _without_debug_records(whole, folder / "model.pt")
    whole.unlink()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def _without_debug_records(source: Path, target: Path) -> None:
    """Copy a TorchScript archive but for its debug records: they hold the paths of the exporting machine.

    Nothing reads them but error messages; without them the same export gives the same bytes on another machine.
    """
    reader = torch._C.PyTorchFileReader(str(source))
    writer = torch._C.PyTorchFileWriter(str(target))
    for name in reader.get_all_records():
        # The writer adds the version and an id of the contents by itself.
        if not name.endswith(".debug_pkl") and name not in ("version", ".data/serialization_id"):
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()


def write_manifest(folder: Path, manifest: dict[str, Any], golden: Mapping[str, Any]) -> None:
    """Write golden.json, then manifest.json with the hashes of the other files in its `files`."""
    _dump(folder / "golden.json", golden)
    manifest["files"] = {name: file_sha256(folder / name) for name in FILES}
    parse_manifest(folder, manifest)  # by the runtime's own reader
    _dump(folder / "manifest.json", manifest)


def _replace(new: Path, out: Path) -> None:
    """Two renames where a folder is replaced: POSIX renames a folder only onto an empty one."""
    if not out.exists():
        os.rename(new, out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
    os.rename(out, old)
    os.rename(new, out)
    shutil.rmtree(old)


def _dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n", encoding="utf-8")
