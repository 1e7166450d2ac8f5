"""Compare every row's text with the hash beside its vector: what is missing, stale, orphaned, or of another model.

The comparison reads the table a window of keys at a time and holds no transaction between windows, so it may be run
on a busy table of any size. A row that changes while it runs may be counted although its change is already in the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from rowvec.database.compile import compiled
from rowvec.database.sources import Source
from rowvec.database.statements import statement
from rowvec.database.text_hash import text_hash
from rowvec.database.translate import translated
from rowvec.flow.records import StoredChunks

_LONG_TEXTS = 200  # read at once of a source with chunks: each text may be a megabyte


@dataclass(slots=True)
class Report:
    """Rows by what was found; `keys` holds those that are not as they should be."""

    rows: int = 0
    missing: int = 0
    stale: int = 0
    wrong_model: int = 0
    orphan: int = 0
    keys: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Say whether every vector is that of its row's text."""
        return not self.keys


def verify(connection: Connection, source: Source, *, repair: bool = False, window: int = 5_000) -> Report:
    """Check a source; `repair` logs every key that is not as it should be, for the daemon to embed or clear."""
    report = Report()
    others = _other_identities(connection, source)
    window = min(window, _LONG_TEXTS) if source.has_chunks else window
    for key, hash_, text, hashes, end in _pages(connection, source, "admin/verify_rows", window):
        report.rows += 1
        wanted = None if text is None else text_hash(text, source.identity)
        whole = not source.has_chunks or StoredChunks(tuple(hashes or ()), end).hold(text)
        if hash_ != wanted or not whole:
            if hash_ is None:
                report.missing += 1
            elif text is not None and any(hash_ == text_hash(text, other) for other in others):
                report.wrong_model += 1
            else:
                report.stale += 1
            report.keys.append(key)
    for key, *_ in _pages(connection, source, "admin/verify_vectors", window):
        report.orphan += 1
        report.keys.append(key)
    if repair and report.keys:
        with translated():
            connection.execute(statement("admin/log_keys"), {"source": source.id, "keys": report.keys})
    return report


def _pages(connection: Connection, source: Source, name: str, window: int) -> Iterable[tuple[Any, ...]]:
    cursor: str | None = None
    while True:
        with translated():
            rows = connection.execute(
                compiled(source, name, after_cursor=cursor is not None), {"limit": window, "cursor": cursor}
            ).fetchall()
        # The first column says whether the row is wanted: a page without any is not yet the end.
        yield from (row[1:] for row in rows if row[0])
        if len(rows) < window:
            return
        cursor = rows[-1][1]


def _other_identities(connection: Connection, source: Source) -> list[bytes]:
    with translated():
        rows = connection.execute(
            "SELECT fingerprint, precision, manifest #>> '{prompts,document}' FROM rowvec_internal.model"
        )
        known = [source.identity_of(fingerprint, precision, prompt or "") for fingerprint, precision, prompt in rows]
    return [other for other in known if other != source.identity]
