"""A daemon with the fake encoder as a process of its own, to be killed, frozen and restarted: `python -m … URL`."""

from __future__ import annotations

import logging
import signal
import sys

from rowvec.daemon.daemon import Daemon
from rowvec.settings import load
from tests.fakes import HashEncoder


def main() -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    daemon = Daemon(sys.argv[1], load(), lambda _model: HashEncoder(faults=True))
    signal.signal(signal.SIGTERM, lambda *_: daemon.end())
    daemon.run()


if __name__ == "__main__":
    main()
