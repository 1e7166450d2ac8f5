"""Cores: affinity and every form of cgroup quota, and the cap on the tokenizer's threads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rowvec.encode.cores import cap_tokenizer_threads, tame_torch, usable_cores


@pytest.fixture
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)), raising=False)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.usefixtures("sixteen_cores")
@pytest.mark.parametrize(
    ("files", "own", "cores"),
    [
        ({}, "0::/\n", 16),
        ({"cpu.max": "max 100000\n"}, "0::/\n", 16),
        ({"cpu.max": "200000 100000\n"}, "0::/\n", 2),
        ({"cpu.max": "150000 100000\n"}, "0::/\n", 2),  # rounded up
        ({"cpu.max": "10000 100000\n"}, "0::/\n", 1),  # never 0
        ({"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "max 100000\n"}, "0::/a/b\n", 3),  # a parent binds too
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, "3:cpu:/\n", 4),
        ({"cpu/x/cpu.cfs_quota_us": "50000\n", "cpu/x/cpu.cfs_period_us": "10000\n"}, "3:cpu,cpuacct:/x\n", 5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, "3:cpu:/\n", 16),
    ],
)
def test_the_quota_limits_the_cores(tmp_path: Path, files: dict[str, str], own: str, cores: int) -> None:
    for name, text in files.items():
        _write(tmp_path / "cgroup" / name, text)
    _write(tmp_path / "self", own)
    assert usable_cores(tmp_path / "cgroup", tmp_path / "self") == cores


def test_affinity_limits_the_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3, 5}, raising=False)
    assert usable_cores(tmp_path, tmp_path / "missing") == 2


def test_torch_s_caches_are_small_unless_the_user_has_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    tame_torch()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "128"
    assert os.environ["LRU_CACHE_CAPACITY"] == "7"
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    assert os.environ["GOMP_SPINCOUNT"] == "5000"


def test_the_tokenizer_is_capped_unless_the_user_has_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAYON_NUM_THREADS", raising=False)
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    cap_tokenizer_threads(3)
    assert os.environ["RAYON_NUM_THREADS"] == "3"
    assert os.environ["TOKENIZERS_PARALLELISM"] == "false"
