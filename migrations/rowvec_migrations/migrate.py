"""Bring a database's schema to a revision, with Alembic, without an ini file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg import Connection
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from rowvec_migrations.replaceable import replace


def config() -> Config:
    """Alembic's configuration for this package, without an ini file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema at a libpq URL to a revision; idempotent. Two at once wait for each other."""
    _run(url, lambda settings: command.upgrade(settings, revision), replaceable=revision == "head")


def downgrade(url: str, revision: str = "base") -> None:
    """Take revisions back; `base` removes the schema and every trigger of ours."""
    _run(url, lambda settings: command.downgrade(settings, revision))


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


def _run(url: str, action: Callable[[Config], None], *, replaceable: bool = False) -> None:
    # psycopg reads the URL itself: SQLAlchemy's parser refuses some that libpq takes (several hosts, no host).
    engine = create_engine("postgresql+psycopg://", creator=lambda: Connection.connect(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('rowvec.migrate', 0))"))
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS rowvec"))
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS rowvec_internal"))
            settings = config()
            settings.attributes["connection"] = connection
            action(settings)
            if replaceable:
                replace(connection.connection.driver_connection)  # type: ignore[arg-type]
    except DBAPIError as error:
        raise error.orig or error from None  # the driver's own words
