"""The daemon's life: register, load models, run the pipeline, keep house, stop gracefully.

start -> register -> free what dead daemons of this host hold -> pipeline and doorbell run
      -> every second: the catalogue; every third of a lease: heartbeat, renewals; every 30 s: housekeeping
SIGTERM or SIGINT -> claim no more, write what is in flight, release the rest, unregister
"""

from __future__ import annotations

import gc
import logging
import time
from contextlib import ExitStack, suppress
from threading import Event

from psycopg import Connection

from rowvec.daemon import metrics
from rowvec.daemon.housekeeping import Housekeeping
from rowvec.daemon.indexer import Indexer
from rowvec.daemon.models import LoadedModels, LoadEncoder
from rowvec.daemon.registration import Registration
from rowvec.database import sources
from rowvec.database.connection import Link
from rowvec.database.protocol import check_protocol
from rowvec.database.sources import Source
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import ProtocolMismatch, RowvecError, ServerUnreachable, SourceError
from rowvec.flow.doorbell import Doorbell
from rowvec.flow.pipeline import Pipeline
from rowvec.flow.shared import Shared
from rowvec.settings import Settings

log = logging.getLogger(__name__)

_CATALOGUE_SECONDS = 1.0
_HOUSEKEEPING_SECONDS = 30.0


class Daemon:
    """One process that keeps every source whose model it can load in step."""

    def __init__(self, url: str, settings: Settings, load_encoder: LoadEncoder, *, once: bool = False) -> None:
        """`once`: stop when nothing is left to do."""
        self._url, self._settings, self._once = url, settings, once
        self._stop = Event()
        self._wake = Event()  # the housekeeper: rung, idle, or stopping
        self._sources: list[Source] = []
        self.models = LoadedModels(load_encoder)
        self.registration = Registration()
        self._housekeeping = Housekeeping(settings)
        direct = settings.direct_url(url)
        self._indexer = Indexer(direct, settings.index_rows, self._stop)
        self._doorbell = Doorbell(direct, settings, self._stop, on_catalogue=self._wake.set)
        self._flow = Shared(
            url,
            settings,
            daemon_id=lambda: self.registration.daemon_id,
            sources=lambda: self._sources,
            encoder_of=lambda source: self.models.encoders.get(source.model.id),
            doorbell=self._doorbell,
            stop=self._stop,
        )
        self.pipeline = Pipeline(self._flow, on_idle=self._on_idle, on_recheck=self._wake.set)
        self._backlogs = None if settings.metrics_port is None else metrics.Backlogs(self._flow.statistics.registry)

    def source(self, id_: int) -> Source:
        """Return a source by its id, as last read; raise SourceError when it is not known here."""
        for source in self._sources:
            if source.id == id_:
                return source
        raise SourceError(f"this daemon does not know source {id_} yet", hint="Ask again in a second.")

    def end(self) -> None:
        """Ask it to finish or release what it holds, and to end."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Run until `end` is called; raise what made it impossible. The first connection is not retried."""
        link = Link(self._url, "rowvec housekeeper", self._stop)
        try:
            check_protocol(link.get())
            self.registration.register(link.get())
            self._refresh(link.get())
        except BaseException:
            link.close()
            raise
        with ExitStack() as endpoint:
            if self._settings.metrics_port is not None:
                server, _ = metrics.serve(self._settings.metrics_port, self._flow.statistics.registry)
                endpoint.callback(server.server_close)
                endpoint.callback(server.shutdown)
            gc.freeze()  # else each full collection visits torch's objects, too, 55 ms with the GIL held
            self._doorbell.start()
            self.pipeline.start()
            id_ = self.registration.daemon_id
            log.info("ready daemon=%d sources=%d models=%d", id_, len(self._sources), len(self.models.encoders))
            try:
                self._keep_house(link)
            finally:
                self._stop.set()
                self._doorbell.ring()
                self.pipeline.join(timeout=max(30.0, 2 * self._settings.lease_seconds))
                self._doorbell.join()
                self._indexer.join()
                with suppress(RowvecError):
                    self._flow.change_log(link.get()).release()
                    self.registration.unregister(link.get())
                link.close()
                log.info("stopped daemon=%d keys=%d", id_, self._flow.statistics.total("keys"))
        if self.pipeline.fatal is not None:
            raise self.pipeline.fatal

    def _on_idle(self) -> None:
        """The pipeline has nothing to do: if a backfill goes on, its next window is wanted now."""
        if any(source.backfill_phase != "done" and source.state == "active" for source in self._sources):
            self._wake.set()

    def _keep_house(self, link: Link) -> None:
        heartbeat_s = min(5.0, self._settings.lease_seconds / 3)
        heart_at = house_at = 0.0
        while not self._stop.is_set():
            try:
                connection, now = link.get(), time.monotonic()
                self._refresh(connection)
                backfilling = self._backfill(connection)
                if now - heart_at >= heartbeat_s:
                    self._beat(connection)
                    self._housekeeping.resolve(connection, self._sources)
                    heart_at = now
                elif suspects := self._flow.schedule.take_suspects():
                    self._housekeeping.resolve(connection, [s for s in self._sources if s.id in suspects])
                if now - house_at >= _HOUSEKEEPING_SECONDS:
                    self._housekeeping.tidy(connection, self._sources)
                    house_at = now
                done = self._once and not backfilling and self._is_done(connection)
                if any(source.index_kind for source in self._sources):
                    done &= not self._indexer.look(connection, at_once=done)
                if done:
                    return
            except ServerUnreachable as error:
                link.lost(error)
                continue
            except ProtocolMismatch:
                raise
            except RowvecError as error:
                log.error("housekeeping: %s", error)
            if not self._stop.is_set():
                self._wake.wait(0.05 if self._once else _CATALOGUE_SECONDS)
                self._wake.clear()

    def _refresh(self, connection: Connection) -> None:
        """Read the catalogue; load the models that are new to us; wake the pipeline when something changed."""
        check_protocol(connection)
        found = sources.load(connection)
        needed = {source.model for source in found}
        default = sources.default_model(connection)
        for model in needed | ({default} if default else set()):
            self.models.load(model, needed=model in needed)
        if found != self._sources:
            names = {source.name for source in self._sources}
            for source in found:
                if source.name not in names:
                    log.info("source=%s model=%s state=%s", source.name, source.model.name, source.state)
            self._flow.schedule.unpause(source.id for source in found if source not in self._sources)
            self._sources = found
            self._doorbell.ring()

    def _beat(self, connection: Connection) -> None:
        self.registration.beat(connection, list(self.models.encoders))
        if self._backlogs is not None:
            self._backlogs.update(connection)
        self._flow.in_flight.renew(self._flow.change_log(connection))

    def _served(self) -> list[Source]:
        return [s for s in self._sources if s.state == "active" and s.model.id in self.models.encoders]

    def _backfill(self, connection: Connection) -> bool:
        """Move every backfill on; return whether any goes on."""
        filling = [source for source in self._served() if source.backfill_phase != "done"]
        going = self._housekeeping.advance_backfills(connection, filling)
        if filling:
            self._doorbell.ring()
        return going

    def _is_done(self, connection: Connection) -> bool:
        """Is nothing left that this process could do now? Retries that are not due yet do not count."""
        served = self._served()
        if any(source.backfill_phase != "done" for source in served):
            return False
        values = {"sources": [source.id for source in served], "daemon": self.registration.daemon_id}
        with translated():
            return connection.execute(statement("flow/anything_left"), values).fetchone() == (False,)
