"""The wheel in clean environments: beside a project with packages of the same names, and without its extras."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.artefacts import tiny_artefact
from tests.packaging import environments

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(bin: Path, *arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of an environment in a folder."""
    command = [str(bin / arguments[0]), *arguments[1:]]
    environment = environments.clean_environment(**variables)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=110)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give the folder of somebody's project, whose packages would break rowvec if it took them for its own."""
    folder = tmp_path / "project"
    for name in ("app", "export", "migrations", "tests"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise ImportError('this is the project\\'s own {name}')\n")
    return folder


def test_beside_another_project(
    wheel: Path, metadata: list[str], tmp_path: Path, project: Path, empty_database_url: str
) -> None:
    """From the project's folder: migrate, watch, insert, embed; and nothing that rowvec needs is missing."""
    bin = environments.make(tmp_path / "venv", wheel, metadata, "daemon")
    tiny_artefact(tmp_path / "models" / "tiny")
    variables = {
        "ROWVEC_DATABASE_URL": empty_database_url,
        "ROWVEC_MODEL_DIR": str(tmp_path / "models"),
        "PYTHONPATH": str(project),  # as a framework's own commands put it
    }

    def rowvec(*arguments: str) -> None:
        done = run(bin, "rowvec", *arguments, cwd=project, **variables)
        assert done.returncode == 0, done.stderr

    rowvec("migrate")
    rowvec("model", "add", str(tmp_path / "models" / "tiny"), "--default")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE documents (id int PRIMARY KEY, body text)")
        rowvec("watch", "documents", "--text", "body")
        connection.execute("INSERT INTO documents VALUES (1, 'w1 w2'), (2, 'w3')")
        rowvec("daemon", "--once")
        rowvec("wait", "documents")
        row = connection.execute("SELECT count(embedding) FROM rowvec.documents_vectors").fetchone()
    assert row == (2,)
    checked = subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(bin / "python"), "check"],
        capture_output=True,
        text=True,
        check=False,
        env=environments.clean_environment(),
    )
    assert (checked.returncode, checked.stdout.strip()) == (0, "No broken requirements found.")


def test_the_base_install_is_the_client(wheel: Path, metadata: list[str], tmp_path: Path, database_url: str) -> None:
    """psycopg is all that it has; what needs more says in one line what to install."""
    assert environments.requirements(metadata, "") - {"typing-extensions"} == {"psycopg", "psycopg-binary"}
    bin = environments.make(tmp_path / "venv", wheel, metadata)
    script = f"import rowvec; print(rowvec.connect({database_url!r}).status())"
    assert run(bin, "python", "-c", script, cwd=tmp_path).stdout == "[]\n"
    for arguments in (["daemon"], ["--help"], ["migrate"]):
        done = run(bin, "rowvec", *arguments, cwd=tmp_path)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert "pip install 'rowvec[cli]'" in done.stderr
        assert "'rowvec[daemon]'" in done.stderr
    script = "import rowvec\ntry: rowvec.Encoder\nexcept rowvec.SettingsError as error: print(error, error.hint)"
    assert "pip install 'rowvec[daemon]'" in run(bin, "python", "-c", script, cwd=tmp_path).stdout


def test_the_command_line_without_a_model(
    wheel: Path, metadata: list[str], tmp_path: Path, empty_database_url: str
) -> None:
    """[cli] looks at a server; what needs torch, the embedded server or the exporter names its extra; exit code 2."""
    bin = environments.make(tmp_path / "venv", wheel, metadata, "cli")
    there = {"ROWVEC_DATABASE_URL": empty_database_url}
    for arguments in (["migrate"], ["status"], ["model", "list"], ["doctor"]):
        done = run(bin, "rowvec", *arguments, cwd=tmp_path, **there)
        assert (done.returncode, done.stderr) == (0, ""), arguments
    for arguments, variables, extra in [
        (["daemon", "--once"], there, "daemon"),
        (["export", "x", "--out", "y"], there, "export"),
        (["status"], {"ROWVEC_HOME": str(tmp_path)}, "embedded"),
    ]:
        done = run(bin, "rowvec", *arguments, cwd=tmp_path, **variables)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert f"pip install 'rowvec[{extra}]'" in done.stderr
    script = "import rowvec\ntry: rowvec.Encoder\nexcept rowvec.SettingsError as error: print(error, error.hint)"
    assert "pip install 'rowvec[daemon]'" in run(bin, "python", "-c", script, cwd=tmp_path).stdout
