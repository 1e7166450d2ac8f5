"""How many cores this process may use: CPU affinity and the cgroup's quota, which torch and tokenizers both ignore."""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = _CGROUP, self_cgroup: Path = Path("/proc/self/cgroup")) -> int:
    """Return the cores that affinity and cgroup quota allow, at least 1.

    A container with a quota of 2 of 64 cores still sees 64, and torch would start 64 threads that wait for each other.
    A quota is rounded up: 1.5 cores keep two threads busy most of the time.
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
    """Limit the tokenizer's own thread pool, unless the user has set it; must come before its first use.

    By default it starts a thread for each core of the machine, which take the cores from the model's threads.
    """
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if threads > 1 else "false")


def tame_torch() -> None:
    """Set what torch's libraries read when they are loaded, unless the user has; must come before torch's first import.

    Each new shape leaves compiled kernels in two caches of 1,024 entries: 190 shapes of all-MiniLM-L6-v2 took 160 MB.
    With room for 32, texts of mixed length are 1.3 times as slow in bf16 as with room for 128. Threads that wait for
    the end of a parallel kernel spin for milliseconds by default, and so may keep the core from the very thread that
    they wait for; 5,000 turns are about 0.1 ms. Without any, a lone text takes 8.2 ms on two cores instead of 3.7.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, "128")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")  # libgomp only; it goes before the policy


def _cgroup_quota(root: Path, self_cgroup: Path) -> float | None:
    """Return the smallest CPU quota, in cores, of our cgroup and its parents; None without one."""
    quotas = [quota for group in _own_groups(root, self_cgroup) if (quota := _quota(group)) is not None]
    return min(quotas, default=None)


def _own_groups(root: Path, self_cgroup: Path) -> list[Path]:
    """Return the folders whose quota binds us: in a container the mounted root is usually our own group."""
    bases = [root, root / "cpu", root / "cpu,cpuacct"]
    try:
        lines = self_cgroup.read_text().splitlines()
    except OSError:
        return bases
    groups = list(bases)
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            own = PurePosixPath(path.lstrip("/"))
            groups += [base / group for base in bases for group in (own, *own.parents)]
    return groups


def _quota(group: Path) -> float | None:
    """Read a group's quota in cores, of cgroup v2 or v1."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if quota != "max" and int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
