"""The daemon's life: register, load models, run the pipeline, keep house, stop gracefully.

start -> register -> free what dead predecessors of this host hold -> pipeline and doorbell run
      -> every second: the catalogue; every third of a lease: heartbeat, renewals; every 30 s: housekeeping
SIGTERM or SIGINT -> claim no more, write what is in the pipe, release the rest, unregister
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from threading import Event

import psutil
from psycopg import Connection

from rowvec.daemon import metrics
from rowvec.daemon.indexer import Indexer
from rowvec.database import sources
from rowvec.database.compile import compiled
from rowvec.database.connection import Link
from rowvec.database.sources import Model, Source
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.encode.encoder import Encoder
from rowvec.errors import DatabaseError, RowvecError, ServerUnreachable, SourceError
from rowvec.flow import backfill
from rowvec.flow.change_log import deadly_tries
from rowvec.flow.doorbell import Doorbell
from rowvec.flow.pipeline import Pipeline
from rowvec.settings import Settings

log = logging.getLogger(__name__)

_CATALOGUE_SECONDS = 1.0
_HOUSEKEEPING_SECONDS = 30.0
_LONGEST_BATCH_LEASES = (
    10  # a batch that takes longer is no longer renewed: a model that hangs must not hold it for ever
)
_MODEL_RETRY_SECONDS = 30.0

_REGISTERED_HERE: set[int] = set()

LoadEncoder = Callable[[Model], Encoder]


class Daemon:
    """One process that keeps every source whose model it can load in step."""

    def __init__(self, url: str, settings: Settings, load_encoder: LoadEncoder, *, once: bool = False) -> None:
        """`once`: stop when nothing is left to do."""
        self._url, self._settings, self._load_encoder, self._once = url, settings, load_encoder, once
        self.stop = Event()
        self._host = socket.gethostname()
        self._worker = 0
        self._sources: list[Source] = []
        self._encoders: dict[int, Encoder] = {}
        self._backlogs: list[metrics.Backlog] = []
        self._problems: dict[int, str | None] = {}
        self._broken_models: dict[int, float] = {}  # model id -> monotonic time of the next try
        listen = settings.direct_url(url)
        self._indexer = Indexer(listen, settings.index_rows, self.stop)
        self._wake = Event()  # the housekeeper: rung, idle, or stopping
        self._doorbell = Doorbell(listen, settings, self.stop, on_catalogue=self._wake.set)
        self.pipeline = Pipeline(
            url,
            settings,
            worker=lambda: self._worker,
            sources=lambda: self._sources,
            encoder_of=lambda source: self._encoders.get(source.model.id),
            doorbell=self._doorbell,
            stop=self.stop,
            on_idle=self._on_idle,
            on_recheck=self._wake.set,
        )

    def source(self, id_: int) -> Source:
        """Return a source by its id, as last read; raise SourceError when it is not known here."""
        for source in self._sources:
            if source.id == id_:
                return source
        raise SourceError(f"this daemon does not know source {id_} yet", hint="Ask again in a second.")

    def end(self) -> None:
        """Ask it to finish or release what it holds, and to end."""
        self.stop.set()
        self._wake.set()

    def run(self) -> None:
        """Run until `end` is called; raise what made it impossible. The first connection is not retried."""
        link = Link(self._url, "rowvec housekeeper", self.stop)
        self._register(link.get())
        self._refresh(link.get())
        port, server = self._settings.metrics_port, None
        if port is not None:
            server, _thread = metrics.serve(port, self.pipeline.stats, lambda: self._backlogs)
        gc.freeze()  # else each full collection looks through torch, too, 55 ms with the GIL held
        self._doorbell.start()
        self.pipeline.start()
        log.info("ready worker=%d sources=%d models=%d", self._worker, len(self._sources), len(self._encoders))
        try:
            self._keep_house(link)
        finally:
            self.stop.set()
            self._doorbell.ring()
            self.pipeline.join(timeout=max(30.0, 2 * self._settings.lease_seconds))
            self._doorbell.join()
            self._indexer.join()
            with suppress(RowvecError):
                self._unregister(link.get())
            link.close()
            if server is not None:
                server.shutdown()
                server.server_close()
            log.info("stopped worker=%d keys=%d", self._worker, self.pipeline.stats.keys)
        if self.pipeline.fatal is not None:
            raise self.pipeline.fatal

    def _on_idle(self) -> None:
        """The pipeline has nothing to do: if a backfill goes on, its next window is wanted now."""
        if any(source.backfill_phase != "done" and source.state == "active" for source in self._sources):
            self._wake.set()

    def _keep_house(self, link: Link) -> None:
        heartbeat_s = min(5.0, self._settings.lease_seconds / 3)
        heart_at = house_at = 0.0
        while not self.stop.is_set():
            try:
                connection, now = link.get(), time.monotonic()
                self._refresh(connection)
                backfilling = self._backfill(connection)
                if now - heart_at >= heartbeat_s:
                    self._beat(connection)
                    self._resolve(connection, self._sources)
                    heart_at = now
                elif suspects := self.pipeline.take_suspects():
                    self._resolve(connection, [source for source in self._sources if source.id in suspects])
                if now - house_at >= _HOUSEKEEPING_SECONDS:
                    self._tidy(connection)
                    house_at = now
                done = self._once and not backfilling and self._is_done(connection)
                if any(source.index_kind for source in self._sources):
                    done &= not self._indexer.look(connection, at_once=done)
                if done:
                    return
            except ServerUnreachable as error:
                link.lost(error)
                continue
            except RowvecError as error:
                log.error("housekeeping: %s", error)
            if not self.stop.is_set():
                self._wake.wait(0.05 if self._once else _CATALOGUE_SECONDS)
                self._wake.clear()

    # Processes

    def _register(self, connection: Connection) -> None:
        me = {"name": self._host, "pid": os.getpid()}
        with translated():
            with connection.transaction():  # on disk, or a crash of the server would give our number to another, too
                connection.execute("SET LOCAL synchronous_commit = on")
                row = connection.execute(statement("daemon/register"), me).fetchone()
            assert row is not None
            self._worker = row[0]
            others = connection.execute(statement("daemon/predecessors"), {**me, "daemon": self._worker}).fetchall()
            # A pid of ours or of no process: that daemon is dead (after a container's restart, both are pid 1).
            # Not one that was registered by this very process: tests run two daemons in one.
            own, here = _REGISTERED_HERE, os.getpid()
            dead = [
                worker for worker, pid in others if worker not in own and (pid == here or not psutil.pid_exists(pid))
            ]
            own.add(self._worker)
            if dead:
                freed = connection.execute(statement("daemon/free_predecessors"), {"dead": dead}).rowcount
                log.info("freed changes=%d of dead workers=%s", freed, dead)

    def _beat(self, connection: Connection) -> None:
        values = {"daemon": self._worker, "name": self._host, "pid": os.getpid(), "models": list(self._encoders)}
        with translated():
            connection.execute(statement("daemon/heartbeat"), values)
            if self._settings.metrics_port is not None:
                rows = connection.execute(statement("daemon/backlogs")).fetchall()
                self._backlogs = [metrics.Backlog(*row) for row in rows]
        lease, now = self._settings.lease_seconds, time.monotonic()
        for work, claimed_at in self.pipeline.in_flight():
            if lease / 3 < now - claimed_at < _LONGEST_BATCH_LEASES * lease:
                values = {
                    "source": work.source.id,
                    "lane": int(work.lane),
                    "daemon": self._worker,
                    "lease": timedelta(seconds=lease),
                    "seqs": [change.seq for change in work.changes],
                    "parts": [change.part for change in work.changes],
                    "times": [change.claimed_at for change in work.changes],
                }
                with translated():
                    connection.execute(statement("daemon/renew"), values)

    def _unregister(self, connection: Connection) -> None:
        with translated():
            connection.execute(statement("flow/release"), {"daemon": self._worker})
            connection.execute(statement("daemon/unregister"), {"daemon": self._worker})

    # Sources and models

    def _refresh(self, connection: Connection) -> None:
        """Read the catalogue; load the models that are new to us; wake the pipeline when something changed."""
        found = sources.load(connection)
        needed = {source.model for source in found}
        default = sources.default_model(connection)
        for model in needed | ({default} if default else set()):
            self._load_model(model, needed=model in needed)
        if found != self._sources:
            names = {source.name for source in self._sources}
            for source in found:
                if source.name not in names:
                    log.info("source=%s model=%s state=%s", source.name, source.model.name, source.state)
            self.pipeline.unpause({source.id for source in found if source not in self._sources})
            self._sources = found
            self._doorbell.ring()

    def _load_model(self, model: Model, *, needed: bool) -> None:
        now = time.monotonic()
        if model.id in self._encoders or self._broken_models.get(model.id, 0.0) > now:
            return
        try:
            self._encoders[model.id] = self._load_encoder(model)
        except RowvecError as error:
            self._broken_models[model.id] = now + _MODEL_RETRY_SECONDS
            hint = f" ({error.hint})" if error.hint else ""
            level = logging.ERROR if needed else logging.DEBUG
            log.log(level, "model=%s is not served here: %s%s", model.name, error, hint)

    def _resolve(self, connection: Connection, which: list[Source]) -> None:
        """Hold sources against the system catalogue: renames are followed, what is wrong is said in rowvec.status."""
        for source in which:
            try:
                with translated():
                    row = connection.execute(statement("daemon/resolve"), {"source": source.id}).fetchone()
            except DatabaseError as error:
                row = (str(error),)
            problem = row[0] if row is not None else None
            if problem != self._problems.get(source.id):
                self._problems[source.id] = problem
                log.log(logging.WARNING if problem else logging.INFO, "source=%s problem: %s", source.name, problem)

    def _backfill(self, connection: Connection) -> bool:
        """Move every backfill on; return whether any goes on. One bad source never stalls another."""
        going = False
        for source in self._sources:
            if source.backfill_phase == "done" or source.state != "active" or source.model.id not in self._encoders:
                continue
            try:
                going |= backfill.advance(connection, source, window=self._settings.backfill_window)
                self._doorbell.ring()
            except DatabaseError as error:
                log.error("backfill source=%s %s", source.name, error)
        return going

    def _is_done(self, connection: Connection) -> bool:
        """Is nothing left that this process could do now? Retries that are not due yet do not count."""
        mine = [s for s in self._sources if s.state == "active" and s.model.id in self._encoders]
        if any(source.backfill_phase != "done" for source in mine):
            return False
        values = {"sources": [source.id for source in mine], "daemon": self._worker}
        with translated():
            return connection.execute(statement("flow/anything_left"), values).fetchone() == (False,)

    # Housekeeping

    def _tidy(self, connection: Connection) -> None:
        """What one daemon at a time does: drift, crashed changes, old tombstones, dead workers, the slow recheck."""
        with translated(), connection.transaction():
            row = connection.execute(statement("daemon/housekeeping_lock")).fetchone()
            if row is None or not row[0]:
                return
            tries = deadly_tries(self._settings.max_attempts)
            connection.execute(statement("daemon/bury_crashed"), {"tries": tries})
            connection.execute(
                statement("daemon/after_clock_jump"), {"lease": timedelta(seconds=self._settings.lease_seconds)}
            )
            if self._settings.recheck_seconds:
                every = timedelta(seconds=self._settings.recheck_seconds)
                connection.execute(statement("daemon/recheck_due"), {"every": every})
        with translated():  # not in that transaction: were we frozen before its COMMIT, others could not arm
            connection.execute(statement("daemon/forget_workers"))
        for source in self._sources:
            try:
                with translated():
                    connection.execute(compiled(source, "daemon/purge"), {"source": source.id})
            except DatabaseError as error:
                log.error("purge source=%s %s", source.name, error)
