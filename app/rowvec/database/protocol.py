"""The protocol that this version and the schema of the database must agree on; migrate writes the schema's number."""

from __future__ import annotations

from psycopg import Connection

from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.errors import ProtocolMismatch

PROTOCOL = 1  # of claims and acks; the schema's is in rowvec_migrations/sql/access/protocol.sql


def check_protocol(connection: Connection) -> None:
    """Raise ProtocolMismatch when the schema was migrated by a version of another protocol, older or newer."""
    with translated():
        row = connection.execute(statement("database/protocol")).fetchone()
    schema = row[0] if row else 0
    if schema > PROTOCOL:
        raise ProtocolMismatch(
            f"the schema of this database has protocol {schema}, this daemon {PROTOCOL}: it is older than the schema",
            hint="Upgrade rowvec here to the version that ran `rowvec migrate`.",
        )
    if schema < PROTOCOL:
        raise ProtocolMismatch(
            f"the schema of this database has protocol {schema}, this daemon {PROTOCOL}: it is newer than the schema",
            hint="Run `rowvec migrate` with this version.",
        )
