"""How many cores this process may use: CPU affinity and the cgroup's quota, which torch and tokenizers both ignore."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = _CGROUP, self_cgroup: Path = Path("/proc/self/cgroup")) -> int:
    """Return the cores that affinity and cgroup quota allow, at least 1.

    A container that was given 2 of 64 cores by quota still sees 64: torch would start 64 threads that wait for each
    other. A fractional quota is rounded up: 1.5 cores keep two threads busy most of the time.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    quota = _cgroup_quota(cgroup, self_cgroup)
    if quota is not None:
        cores = min(cores, math.ceil(quota))
    return max(1, cores)


def cap_tokenizer_threads(threads: int) -> None:
    """Hold the tokenizer's own thread pool to `threads`, unless the user has set it; works before its first use only.

    Unset, it starts a thread for each core that the machine has, and its bursts fight with the model's threads.
    """
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if threads > 1 else "false")


def tame_torch() -> None:
    """Set what torch's libraries read when they are loaded, unless the user has; so before torch is first imported.

    Each new shape leaves compiled kernels in two caches of 1,024 entries: 190 shapes of all-MiniLM-L6-v2 took 160 MB,
    and 22 MB with room for 16. But to compile one takes 2 ms, and with room for 32, texts of mixed length in bf16 were
    1.3 times as slow as with room for 128. Threads that wait for the end of a parallel kernel spin for
    milliseconds by default, which on a busy machine keeps the core from the thread that is waited for; not to spin
    makes a lone text on two cores slower than on one (8.2 ms against 6.2, fp32). 5,000 turns, about 0.1 ms: 3.7 ms.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, "128")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")  # libgomp only; it goes before the policy


def _cgroup_quota(root: Path, self_cgroup: Path) -> float | None:
    """Return the smallest CPU quota, in cores, of our cgroup and its parents; None without one."""
    quotas: list[float] = []
    for directory in _own_groups(root, self_cgroup):
        quota = _read_v2(directory / "cpu.max")
        if quota is None:
            quota = _read_v1(directory)
        if quota is not None:
            quotas.append(quota)
    return min(quotas, default=None)


def _own_groups(root: Path, self_cgroup: Path) -> list[Path]:
    """Return the folders whose quota binds us: in a container the mounted root is usually our own group."""
    bases = [root, root / "cpu", root / "cpu,cpuacct"]
    groups = list(bases)
    try:
        lines = self_cgroup.read_text().splitlines()
    except OSError:
        return groups
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        for base in bases:
            directory = base / path.lstrip("/")
            while directory != base and base in directory.parents:
                groups.append(directory)
                directory = directory.parent
    return groups


def _read_v2(path: Path) -> float | None:
    try:
        quota, period = path.read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _read_v1(directory: Path) -> float | None:
    try:
        quota = int((directory / "cpu.cfs_quota_us").read_text())
        period = int((directory / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None
