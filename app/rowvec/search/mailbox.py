"""The mailbox: requests that come as files in the server's data folder, and their answers; where there is no dblink.

A SELECT writes `<uuid>.ask` with COPY and reads `<uuid>.answer`; rowvec_internal.by_mailbox() is the other side.
A file is hex of JSON with a full stop at its end, so that a half-written one is told from a whole one. On Linux the
kernel reports each closed file (inotify), so nothing is spent while nothing comes; elsewhere the folder is read every
5 ms.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import stat
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np
import psycopg
from psycopg import sql

from rowvec.database.statements import statement
from rowvec.database.vectors import vector_text
from rowvec.errors import one_line
from rowvec.search.requests import Answer, Request

IN_CLOSE_WRITE = 0x8
KEEP_SECONDS = 60.0  # an answer is read within milliseconds, unless its backend was stopped meanwhile
POLL_SECONDS = 0.005

log = logging.getLogger("rowvec.queries")


class Mailbox:
    """One database's folder of requests and answers."""

    def __init__(self, folder: Path) -> None:
        """Watch a folder that is there already."""
        self.folder = folder
        self._owner = folder.stat()
        self._watch = _watch(folder) if sys.platform == "linux" else None

    @classmethod
    def open(cls, connection: psycopg.Connection) -> Mailbox | None:
        """Make the folder and watch it; None where the server's files are not ours: another machine, no rights.

        Only a file that the server has written and we have read proves that both see the same folder.
        """
        try:
            row = connection.execute(statement("search/server_files")).fetchone()
            if row is None or not row[2]:
                return None
            data = Path(row[0])
            owner, folder = data.stat(), data / "rowvec_queries" / str(row[1])
            for each in (folder.parent, folder):
                each.mkdir(mode=0o700, exist_ok=True)
                _own(each, owner)
            probe = folder / f"{uuid4()}.probe"
            connection.execute(sql.SQL("COPY (SELECT 'rowvec') TO {}").format(sql.Literal(str(probe))))
            same = probe.read_text() == "rowvec\n"
            probe.unlink()
            return cls(folder) if same else None
        except (OSError, psycopg.Error):
            return None

    @property
    def fileno(self) -> int | None:
        """What becomes readable when a request has come; None where the folder must be polled."""
        return self._watch.fileno if self._watch else None

    def has_requests(self) -> bool:
        """Say whether a request lies there."""
        with os.scandir(self.folder) as entries:
            return any(entry.name.endswith(".ask") for entry in entries)

    def take(self) -> list[Request]:
        """Take every whole request out of the folder; a file that is not a request of ours is removed."""
        if self._watch:
            self._watch.drain()
        requests = []
        for path in self.folder.glob("*.ask"):
            try:
                content = path.read_bytes().rstrip(b"\n")
                if not content.endswith(b"."):
                    continue  # still being written: when it is closed, we are woken again
                path.unlink()
                requests.append(Request(path.stem, **json.loads(bytes.fromhex(content[:-1].decode("ascii")))))
            except FileNotFoundError:
                continue  # another daemon was quicker
            except (ValueError, TypeError):
                path.unlink(missing_ok=True)
        return requests

    def answer(self, answered: Sequence[tuple[Request, Answer]]) -> None:
        """Write the answers; each is whole from the moment that its file can be seen."""
        for request, answer in answered:
            if isinstance(answer, Exception):
                text = f"!{one_line(answer)}"
            else:
                text = vector_text(answer) if isinstance(answer, np.ndarray) else answer
            new = self.folder / f"{request.id}.new"
            new.write_text(f"{text}.", encoding="utf-8")
            _own(new, self._owner)
            new.chmod(stat.S_IRUSR | stat.S_IWUSR)
            new.rename(new.with_suffix(".answer"))

    def sweep(self) -> None:
        """Remove old files: SQL can write and read files, but not delete them."""
        before = time.time() - KEEP_SECONDS
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat().st_mtime < before:
                        os.unlink(entry.path)

    def close(self) -> None:
        """Stop watching; the folder stays."""
        if self._watch:
            os.close(self._watch.fileno)
            self._watch = None


def _own(path: Path, owner: os.stat_result) -> None:
    """Give a file to the server's user, where we are root."""
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def _watch(folder: Path) -> _Inotify | None:
    """Watch a folder, unless the kernel gives no more watches: a user has 128 of them, about."""
    try:
        return _Inotify(folder)
    except OSError as error:
        log.warning("the mailbox is polled every %.0f ms: %s", POLL_SECONDS * 1e3, error)
        return None


class _Inotify:
    """Watches a folder for files that are closed after writing, by inotify(7), through libc."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fileno: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fileno < 0 or libc.inotify_add_watch(self.fileno, os.fsencode(folder), IN_CLOSE_WRITE) < 0:
            number = ctypes.get_errno()
            if self.fileno >= 0:
                os.close(self.fileno)
            raise OSError(number, os.strerror(number), str(folder))

    def drain(self) -> None:
        """Forget the events so far: the folder itself says what is there."""
        with suppress(BlockingIOError):
            while os.read(self.fileno, 65536):
                pass
