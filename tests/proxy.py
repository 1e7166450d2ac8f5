"""A TCP proxy before a server, for network faults: it can cut every connection at the moment of a certain statement."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Literal
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

Moment = Literal["before", "after"]


class Proxy:
    """Forwards connections to the server of a URL; use as a context. `url` is the way through it."""

    def __init__(self, url: str) -> None:
        """Take the URL of a database, by TCP or by a socket's folder."""
        given = conninfo_to_dict(url)
        host, port = str(given.get("host") or "localhost"), int(str(given.get("port") or 5432))
        self._target = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        user = f"{given['user']}:{given['password']}" if given.get("password") else given.get("user")
        path = urlsplit(url).path
        self.url = f"postgresql://{user}@127.0.0.1:{self._listener.getsockname()[1]}{path}?sslmode=disable"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock, self._closing = Lock(), Event()
        self._cut_at: tuple[bytes, Moment] | None = None
        self._untold: set[socket.socket] = set()
        self._stalled: set[socket.socket] = set()
        self.cuts = 0

    def __enter__(self) -> Proxy:
        """Begin to accept."""
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything and stop."""
        self._closing.set()
        self._listener.close()
        self.cut()

    def cut_at(self, words: bytes, moment: Moment) -> None:
        """Cut the next connection whose client sends these words: before the server has all of them, or its answer."""
        self._cut_at = (words, moment)

    def stall(self) -> None:
        """Let no more bytes through the connections of now, either way, and keep them open: TCP finds nothing wrong."""
        with self._lock:
            for pair in self._pairs:
                self._stalled |= set(pair)

    def cut(self) -> None:
        """Cut every connection now."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _close(*pair)

    def _accept(self) -> None:
        while not self._closing.is_set():
            with suppress(OSError):
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET)
                server.connect(self._target)
                with self._lock:
                    self._pairs.append((client, server))
                Thread(target=self._pump, args=(client, server, True), daemon=True).start()
                Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if source in self._stalled:
                    continue
                cut = self._cut_at
                if from_client and cut is not None and cut[0] in data:
                    self._cut_at = None
                    self.cuts += 1
                    if cut[1] == "before":
                        sink.sendall(data[: len(data) // 2])
                        break
                    self._untold.add(sink)  # the server does it; the client is not told
                elif source in self._untold:
                    break
                sink.sendall(data)
        _close(source, sink)


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
