"""The mailbox: query texts that come as files in the server's data folder, and their answers; for want of dblink.

A SELECT writes `<uuid>.ask` with COPY and reads `<uuid>.answer`; rowvec_internal.by_mailbox() is the other side.
A file is hex of JSON with a full stop at its end, so a half-written one is not taken for whole. On Linux the kernel
tells of each closed file (inotify), so nothing is spent while nothing comes; elsewhere the folder is read every 5 ms.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

IN_CLOSE_WRITE = 0x8
KEEP_SECONDS = 60.0  # an answer is read within milliseconds; this is for a backend that was stopped meanwhile
POLL_SECONDS = 0.005

log = logging.getLogger("rowvec.queries")


@dataclass(frozen=True, slots=True)
class Letter:
    """A text that waits for its vector, or for its chunks."""

    name: str
    model: int
    prompt: str
    query: str
    source: int | None = None  # how this source cuts the text is asked, not its vector


class Mailbox:
    """One database's folder of letters."""

    poll_seconds = POLL_SECONDS

    def __init__(self, folder: Path) -> None:
        """Watch a folder that is there already."""
        self.folder = folder
        self._owner = folder.stat()
        self._watch = _watch(folder) if sys.platform == "linux" else None

    @classmethod
    def open(cls, connection: psycopg.Connection) -> Mailbox | None:
        """Make the folder and watch it; None where the server's files are not ours: another machine, no rights.

        Only a letter that the server has written and we have read proves that both see the same folder.
        """
        try:
            row = connection.execute(
                "SELECT current_setting('data_directory'), d.oid, r.rolsuper FROM pg_database d, pg_roles r"
                " WHERE d.datname = current_database() AND r.rolname = current_user"
            ).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            return None
        if row is None or not row[2]:
            return None
        data = Path(row[0])
        folder = data / "rowvec_queries" / str(row[1])
        try:
            info = data.stat()
            for each in (folder.parent, folder):
                each.mkdir(mode=0o700, exist_ok=True)
                if os.geteuid() == 0:
                    os.chown(each, info.st_uid, info.st_gid)
            probe = folder / f"{uuid4()}.probe"
            connection.execute(sql.SQL("COPY (SELECT 'rowvec') TO {}").format(sql.Literal(str(probe))))
            same = probe.read_text() == "rowvec\n"
            probe.unlink()
            return cls(folder) if same else None
        except (OSError, psycopg.Error):
            return None

    @property
    def fileno(self) -> int | None:
        """What becomes readable when a letter has come; None where the folder must be polled."""
        return self._watch.fileno if self._watch else None

    def has_letters(self) -> bool:
        """Say whether a letter lies there."""
        with os.scandir(self.folder) as entries:
            return any(entry.name.endswith(".ask") for entry in entries)

    def take(self) -> list[Letter]:
        """Take every whole letter out of the folder; what is no letter of ours is thrown away."""
        if self._watch:
            self._watch.drain()
        letters = []
        for path in self.folder.glob("*.ask"):
            try:
                content = path.read_bytes().rstrip(b"\n")
                if not content.endswith(b"."):
                    continue  # still being written: closing it wakes us again
                path.unlink()
                found = json.loads(bytes.fromhex(content[:-1].decode("ascii")))
                asked = (found["model"], found["prompt"], found["query"], found["source"])
                letters.append(Letter(path.name.removesuffix(".ask"), *asked))
            except FileNotFoundError:
                continue  # another daemon was quicker
            except (ValueError, KeyError, TypeError):
                path.unlink(missing_ok=True)
        return letters

    def answer(self, letter: Letter, text: str) -> None:
        """Put the answer down, whole from the moment that it can be seen."""
        path = self.folder / f"{letter.name}.answer"
        new = path.with_suffix(".new")
        new.write_text(f"{text}.", encoding="utf-8")
        if os.geteuid() == 0:
            os.chown(new, self._owner.st_uid, self._owner.st_gid)
        new.chmod(stat.S_IRUSR | stat.S_IWUSR)
        new.rename(path)

    def sweep(self) -> None:
        """Remove files that nobody reads any more: SQL can write and read files, but not delete them."""
        before = time.time() - KEEP_SECONDS
        with os.scandir(self.folder) as entries:
            for entry in entries:
                try:
                    if entry.stat().st_mtime < before:
                        os.unlink(entry.path)
                except FileNotFoundError:
                    continue

    def close(self) -> None:
        """Stop watching; the folder stays."""
        if self._watch:
            os.close(self._watch.fileno)
            self._watch = None


def _watch(folder: Path) -> _Inotify | None:
    """Watch a folder, unless the kernel gives no more watches: a user has 128 of them, about."""
    try:
        return _Inotify(folder)
    except OSError as error:
        log.warning("the mailbox is polled every %.0f ms: %s", POLL_SECONDS * 1e3, error)
        return None


class _Inotify:
    """The kernel's word that a file in a folder was closed after writing (inotify(7)), through libc."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fileno: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fileno < 0 or libc.inotify_add_watch(self.fileno, os.fsencode(folder), IN_CLOSE_WRITE) < 0:
            number = ctypes.get_errno()
            if self.fileno >= 0:
                os.close(self.fileno)
            raise OSError(number, os.strerror(number), str(folder))

    def drain(self) -> None:
        """Forget what was told so far; the folder itself is what counts."""
        try:
            while os.read(self.fileno, 65536):
                pass
        except BlockingIOError:
            pass
