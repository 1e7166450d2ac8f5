"""Builds indexes while reads and writes go on: the vectors' HNSW index, as planned, and the full text index.

It belongs after the backfill: filling a table that has the index is many times slower than building it at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

import psycopg
from psycopg import Connection, sql

from rowvec.database.connection import connect
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import SettingsError, SourceError
from rowvec.search.index_plan import Plan, plan, verbatim

POLL_SECONDS = 0.5
LOCK = (0x726F7776, 3)  # 'rowv': one build at a time; 1 and 2 are of rowvec.search.query_server
_NO_LIMITS = "SET statement_timeout = 0; SET lock_timeout = 0"

OnProgress = Callable[[str, float], None]  # the phase, and the share of it that is done (0 to 1)


class BuildGoesOn(SourceError):
    """Another build goes on; wait for its end."""


def build(
    url: str, chosen: Plan, *, memory: str | None = None, on_progress: OnProgress = lambda _phase, _share: None
) -> str:
    """Build the planned index beside those that are there, then drop them; return its name.

    `memory` is maintenance_work_mem for the build, as in '2GB'. `on_progress` is called in the caller's thread, every
    half second. What an interrupted build left invalid is dropped first. Ctrl-C, or what `on_progress` raises, cancels.
    Raises BuildGoesOn when an index is being built here already.
    """
    if not chosen.facts.backfilled:
        raise SourceError(
            f'the backfill of source "{chosen.source}" is not done',
            hint=f"Wait for it: `rowvec backfill {chosen.source}`. An index makes it many times slower.",
        )
    with connect(url, application="rowvec index") as builder, connect(url, application="rowvec index") as watcher:
        if builder.pooled:
            raise SettingsError(
                "an index cannot be built through a pooler in transaction mode",
                hint="Name a direct connection in ROWVEC_LISTEN_URL.",
            )
        with translated():
            locked = builder.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone()
            # Planned again under the lock: another build may have made an index, or left one invalid, before we had it.
            now = plan(builder, chosen.source, kind=chosen.kind, m=chosen.m, ef_construction=chosen.ef_construction)
            if locked != (True,) or now.facts.building:  # or one by hand, whose index is invalid until it is done
                raise BuildGoesOn("an index is being built already", hint="Wait for its end, then try again.")
            builder.execute(_NO_LIMITS)
            if memory:
                builder.execute("SELECT set_config('maintenance_work_mem', %s, false)", [memory])
            _drop(builder, now.facts.broken)
        name, creation = now.creation()
        _run(builder, watcher, creation, on_progress)
        with translated():
            _drop(builder, now.facts.present)
            builder.execute(statement("search/index_done"), {"source": chosen.source})
    return name


def build_text(url: str, source: str, language: str = "english") -> str:
    """Build the full text index that rowvec.hybrid_search uses for a language; return its name."""
    with connect(url, application="rowvec index") as builder, translated():
        builder.execute(_NO_LIMITS)
        row = builder.execute(statement("search/index_text"), [language, source]).fetchone()
        if row is None:
            raise SourceError(f'there is no source "{source}"', hint="`rowvec status` lists them.")
        name = f"rowvec_{source}_text_{language}"[:63]
        creation = statement("search/index_text_build").format(
            name=sql.Identifier(name), table=verbatim(row[1]), expression=verbatim(row[0])
        )
        builder.execute(creation)
    return name


def _drop(connection: Connection, indexes: list[str]) -> None:
    for index in indexes:
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(verbatim(index)))


def _run(builder: Connection, watcher: Connection, creation: sql.Composed, on_progress: OnProgress) -> None:
    """Execute in a thread and report from here; an exception here cancels the build."""
    failed: list[BaseException] = []
    ended = Event()

    def execute() -> None:
        try:
            builder.execute(creation)
        except psycopg.Error as error:
            failed.append(error)
        finally:
            ended.set()

    thread = Thread(target=execute, name="rowvec index")
    thread.start()
    try:
        while not ended.wait(POLL_SECONDS):
            with translated():
                row = watcher.execute(statement("search/index_progress"), [builder.info.backend_pid]).fetchone()
            if row:
                on_progress(row[0], min(1.0, row[1]))
    except BaseException:
        with suppress(psycopg.Error):  # the server may be gone
            builder.cancel_safe()
        raise
    finally:
        thread.join()
    with translated():
        if failed:
            raise failed[0]
