"""What the three threads of a pipeline share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Queue
from threading import Event

from psycopg import Connection

from rowvec.database.sources import Source
from rowvec.encode.encoder import Encoder
from rowvec.flow.change_log import ChangeLog
from rowvec.flow.doorbell import Doorbell
from rowvec.flow.embed import Embedded
from rowvec.flow.in_flight import InFlight
from rowvec.flow.plan import Work
from rowvec.flow.schedule import Schedule
from rowvec.flow.statistics import Statistics
from rowvec.settings import Settings


@dataclass(frozen=True, slots=True)
class Shared:
    """Given: where they work and for whom. Made here: the queues that join them, and what they remember."""

    url: str
    settings: Settings
    daemon_id: Callable[[], int]
    sources: Callable[[], list[Source]]
    encoder_of: Callable[[Source], Encoder | None]
    doorbell: Doorbell
    stop: Event
    schedule: Schedule = field(default_factory=Schedule)
    in_flight: InFlight = field(default_factory=InFlight)
    statistics: Statistics = field(default_factory=Statistics)
    to_encode: Queue[Work | None] = field(default_factory=lambda: Queue(maxsize=1))
    to_write: Queue[Embedded | None] = field(default_factory=lambda: Queue(maxsize=1))

    def change_log(self, connection: Connection) -> ChangeLog:
        """Return the change log over a thread's connection."""
        return ChangeLog(
            connection,
            self.daemon_id(),
            lease_seconds=self.settings.lease_seconds,
            max_attempts=self.settings.max_attempts,
            schedule=self.schedule,
        )
