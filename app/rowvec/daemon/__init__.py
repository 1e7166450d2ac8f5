"""What runs beside the server: a daemon's life, its heartbeat, housekeeping, index builds and metrics.

Imports: flow, search, encode, database. Begin at `process`, then `daemon`.
"""
