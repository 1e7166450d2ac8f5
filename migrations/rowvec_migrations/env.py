"""Alembic's environment: schema rowvec only, its version table inside it, over the connection that `upgrade` made."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from rowvec_migrations.schema import SCHEMA, metadata


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the user's schemas out, and the vector tables, which watch() makes."""
    if kind == "schema":
        return name == SCHEMA
    return kind != "table" or f"{SCHEMA}.{name}" in metadata.tables


def run() -> None:
    """Run the revisions in one transaction."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=include_name,
        compare_server_default=False,  # PostgreSQL rewrites them; tests/migrations compares the dumped schema instead
    )
    with context.begin_transaction():
        context.run_migrations()


run()
