"""The server as everything else sees it: connections, statements, sources, vectors on the wire, an embedded PostgreSQL.

Imports: errors and settings. Knows psycopg and no torch. Begin at `connection`, then `sources` and `compile`.
"""
