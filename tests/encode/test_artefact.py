"""The artefact's folder: what is refused, and that the message names the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rowvec.encode.artefact import find_artefact, read_manifest
from rowvec.errors import ArtefactError
from tests.artefacts import DIMS, tiny_artefact, write_manifest


def test_a_good_artefact_is_read(tiny_directory: Path) -> None:
    manifest = read_manifest(tiny_directory)
    assert (manifest.name, manifest.dims, manifest.prompts["query"]) == ("tiny-0", DIMS, "")
    assert manifest.raw == json.loads((tiny_directory / "manifest.json").read_text())


@pytest.mark.parametrize("name", ["model.pt", "tokenizer.json", "golden.json"])
def test_a_changed_file_is_refused(tiny_directory: Path, name: str) -> None:
    with (tiny_directory / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtefactError, match=f"{name}: sha256"):
        read_manifest(tiny_directory)


@pytest.mark.parametrize("name", ["manifest.json", "model.pt"])
def test_a_missing_file_is_refused(tiny_directory: Path, name: str) -> None:
    (tiny_directory / name).unlink()
    with pytest.raises(ArtefactError, match=name):
        read_manifest(tiny_directory)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format 2"),
        ({"dims": "many"}, "manifest.json"),
        ({"dims": 0}, "positive"),
        ({"files": {}}, "no hash of"),
        ({"prompts": 3}, "manifest.json"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(tiny_directory: Path, changes: dict[str, object], message: str) -> None:
    write_manifest(tiny_directory, **changes)
    with pytest.raises(ArtefactError, match=message):
        read_manifest(tiny_directory)


def test_a_manifest_may_not_name_files_elsewhere(tiny_directory: Path) -> None:
    manifest = json.loads((tiny_directory / "manifest.json").read_text())
    manifest["files"]["../secret"] = "0"
    (tiny_directory / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match="outside its folder"):
        read_manifest(tiny_directory)


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_a_manifest_that_is_no_object_is_refused(tiny_directory: Path, text: str) -> None:
    (tiny_directory / "manifest.json").write_text(text)
    with pytest.raises(ArtefactError, match=r"manifest\.json"):
        read_manifest(tiny_directory)


def test_an_artefact_is_found_by_its_fingerprint_whatever_its_folder(tmp_path: Path) -> None:
    tiny_artefact(tmp_path / "first", seed=1)
    wanted = tiny_artefact(tmp_path / "second", seed=2)
    assert find_artefact(tmp_path, read_manifest(wanted).fingerprint) == wanted


def test_a_fingerprint_that_is_nowhere_says_what_was_unreadable(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    with pytest.raises(ArtefactError, match=r"no model with fingerprint abc.*broken"):
        find_artefact(tmp_path, "abc")
    with pytest.raises(ArtefactError, match="no model"):
        find_artefact(tmp_path / "missing", "abc")
