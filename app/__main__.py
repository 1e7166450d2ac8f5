"""`python -m app`: the same as `rowvec`."""

from __future__ import annotations

from app.cli import main

main()
