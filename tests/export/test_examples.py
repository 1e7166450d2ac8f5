"""The C++ example is compiled against the libtorch inside the torch wheel, and gives the golden vectors."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from rowvec_export.exporter import Exported
from tests.export.conftest import Export

SOURCE = Path(__file__).parents[2] / "examples" / "cpp" / "embed.cpp"
TORCH = Path(torch.__file__).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),  # g++ reads all of torch's headers: 15 s of CPU
    pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++"),
    pytest.mark.skipif(not (TORCH / "lib" / "libtorch_cpu.so").exists(), reason="needs the libtorch of a Linux wheel"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled example."""
    out = tmp_path_factory.mktemp("cpp") / "embed"
    include = [f"-I{TORCH}/include", f"-I{TORCH}/include/torch/csrc/api/include"]
    link = [f"-L{TORCH}/lib", f"-Wl,-rpath,{TORCH}/lib", "-Wl,--no-as-needed", "-ltorch", "-ltorch_cpu", "-lc10"]
    abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch._C._GLIBCXX_USE_CXX11_ABI)}"
    subprocess.run(["g++", "-std=c++20", "-O0", abi, *include, str(SOURCE), "-o", str(out), *link], check=True)
    return out


@pytest.mark.parametrize("kernel", ["0", "1"])
def test_cpp_gives_the_golden_vectors_of_minilm(kernel: str, program: Path, minilm: Exported) -> None:
    done = subprocess.run([program, minilm.directory, kernel], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("12 texts, 384 dimensions")


@pytest.mark.parametrize("architecture", ["xlm-roberta", "modernbert", "qwen3", "gemma3_text", "static"])
def test_cpp_runs_other_architectures(architecture: str, program: Path, exported: Export) -> None:
    done = subprocess.run([program, exported(architecture).directory], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_vector_is_noticed(program: Path, exported: Export, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled"
    shutil.copytree(exported("bert").directory, spoiled)
    golden = (spoiled / "golden.json").read_text()
    at = golden.index("0.", golden.index('"vectors"'))
    (spoiled / "golden.json").write_text(golden[:at] + "9." + golden[at + 2 :])
    done = subprocess.run([program, spoiled], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
