"""What a program calls from Python: each method of `Client` is one call of a SQL function of schema `rowvec`.

Imports: errors, and of database only statements and translate, so that it needs psycopg and nothing else.
Begin at `client`, then `records`.
"""

from __future__ import annotations

from rowvec.client.client import Client, connect
from rowvec.client.records import Hit, HybridHit, RowError, Source, SourceStatus

__all__ = ["Client", "Hit", "HybridHit", "RowError", "Source", "SourceStatus", "connect"]
