"""Bring a database's schema to a revision: the tables by Alembic, then what is replaced, then what is made for sources.

The first two are one transaction. Then each source's functions, triggers and policies are a transaction of their own,
so that one busy table does not hold up the others; where nothing differs, no lock is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import Connection
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from rowvec_migrations.locks import Patience, Unfinished, begin, transaction, tried
from rowvec_migrations.replaceable import replace

_OUR_TABLES = """
    SELECT oid FROM pg_class WHERE relkind IN ('r', 'v', 'S')
    AND relnamespace IN (to_regnamespace('rowvec'), to_regnamespace('rowvec_internal'))"""
_TABLES_OF = """
    SELECT t.oid FROM rowvec_internal.source s, LATERAL (
      SELECT relid::oid FROM pg_partition_tree(s.source_table) UNION VALUES (s.source_table::oid), (s.vector_table::oid)
    ) t(oid) WHERE s.id = {}"""


def config() -> Config:
    """Alembic's configuration for this package, without an ini file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    return settings


def upgrade(url: str, revision: str = "head", *, patience: Patience = Patience()) -> None:  # noqa: B008 (frozen)
    """Bring the schema at a libpq URL to a revision; idempotent. Two at once wait for each other.

    Raises Unfinished when a lock could not be had: nothing has changed then, or, where it names sources, everything but
    those has. Run it again.
    """
    newest = revision == "head"

    def schema() -> None:
        _run(
            url,
            lambda settings: command.upgrade(settings, revision),
            patience=patience,
            after=replace if newest else None,
        )

    tried(url, schema, _OUR_TABLES, patience)
    if newest:
        _remake_sources(url, patience)


def downgrade(url: str, revision: str = "base") -> None:
    """Take revisions back; `base` removes both schemas and every trigger of ours.

    Vector tables that unwatch() left behind are the user's, and schema rowvec stays with them.
    """
    _run(
        url, lambda settings: command.downgrade(settings, revision), after=_drop_schemas if revision == "base" else None
    )


def check(url: str) -> None:
    """Raise when the migrated catalogue is not what `rowvec_migrations.schema` says."""
    _run(url, command.check)


def current(connection: Connection) -> str | None:
    """The revision that a database is at, or None when it was never migrated."""
    found = connection.execute("SELECT to_regclass('rowvec_internal.alembic_version')").fetchone()
    if found is None or found[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM rowvec_internal.alembic_version").fetchone()
    return row[0] if row else None


def _run(
    url: str,
    action: Callable[[Config], None],
    *,
    patience: Patience = Patience(lock_seconds=0),  # noqa: B008 (frozen)
    after: Callable[[Connection], None] | None = None,
) -> None:
    """Run an Alembic command and then `after`, in one transaction."""
    # psycopg reads the URL itself: SQLAlchemy's parser refuses some that libpq takes (several hosts, no host).
    engine = create_engine("postgresql+psycopg://", creator=lambda: Connection.connect(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            driver: Connection = connection.connection.driver_connection  # type: ignore[assignment]
            begin(driver, patience)
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS rowvec"))
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS rowvec_internal"))
            settings = config()
            settings.attributes["connection"] = connection
            action(settings)
            if after is not None:
                after(driver)
    except DBAPIError as error:
        raise error.orig or error from None  # the driver's own words


def _remake_sources(url: str, patience: Patience) -> None:
    """Bring what is made for each source up to date; raise Unfinished with the names of those where it failed."""
    with psycopg.connect(url) as connection:
        sources = connection.execute("SELECT id, name FROM rowvec_internal.source ORDER BY id").fetchall()
    failures = []
    for id_, name in sources:

        def remake(id_: int = id_) -> None:
            with transaction(url, patience) as connection:
                connection.execute("SELECT rowvec_internal.remake_source(%s::smallint)", (id_,))

        try:
            tried(url, remake, _TABLES_OF.format(id_), patience)
        except (Unfinished, psycopg.DatabaseError) as error:
            failures.append(f'source "{name}": {str(error).splitlines()[0]}')
    if failures:
        raise Unfinished("; ".join(failures))


def _drop_schemas(connection: Connection) -> None:
    connection.execute("DROP TABLE rowvec_internal.alembic_version")
    connection.execute("DROP SCHEMA rowvec_internal")
    left = connection.execute("SELECT FROM pg_class WHERE relnamespace = 'rowvec'::regnamespace").fetchone()
    if left is None:
        connection.execute("DROP SCHEMA rowvec")
