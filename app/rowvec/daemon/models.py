"""The models that this process has loaded."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from rowvec.database.sources import Model
from rowvec.encode.encoder import Encoder
from rowvec.errors import RowvecError

log = logging.getLogger(__name__)

_RETRY_SECONDS = 30.0

LoadEncoder = Callable[[Model], Encoder]


class LoadedModels:
    """Encoders by model id. Once loaded a model stays; one that cannot be is tried again after 30 s."""

    def __init__(self, load: LoadEncoder) -> None:
        """Take what loads a model, or raises a RowvecError."""
        self._load = load
        self.encoders: dict[int, Encoder] = {}
        self._retry_at: dict[int, float] = {}  # monotonic time

    def load(self, model: Model, *, needed: bool) -> None:
        """Load a model unless it is there; that it cannot be is an error in the log only if a source needs it."""
        now = time.monotonic()
        if model.id in self.encoders or self._retry_at.get(model.id, 0.0) > now:
            return
        try:
            self.encoders[model.id] = self._load(model)
        except RowvecError as error:
            self._retry_at[model.id] = now + _RETRY_SECONDS
            level = logging.ERROR if needed else logging.DEBUG
            log.log(level, "model=%s is not served here: %s", model.name, error.with_hint)
