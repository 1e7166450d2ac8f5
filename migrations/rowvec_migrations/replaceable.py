"""The SQL of this package: the baseline's tables, once, and what every migrate applies: functions, views and rights.

`sql/order.txt` names the replaceable files in the order in which they are applied: a SQL function must find what it
calls. What an earlier version had and no file makes any more is dropped in the end.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op
from mako.template import Template  # type: ignore[import-untyped]
from psycopg import Connection

SQL = Path(__file__).parent / "sql"
_STALE = r"""
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace IN ('rowvec'::regnamespace, 'rowvec_internal'::regnamespace)
      AND p.proname !~ '^source_\d+_' AND p.xmin <> pg_current_xact_id()::xid"""


def execute_baseline() -> None:
    """Execute the baseline's files in order of name; called by its revision."""
    connection: Connection = op.get_bind().connection.driver_connection  # type: ignore[assignment]
    for path in sorted((SQL / "baseline").glob("*.sql")):
        connection.execute(path.read_bytes())  # bytes: the driver then looks for no placeholders
        if path.name == "01_extension.sql":
            find_vector(connection)


def replace(connection: Connection) -> None:
    """Apply every function, view, comment and right, in the order of sql/order.txt; idempotent.

    It is part of the caller's transaction. A function that no file made in this transaction is one of an earlier
    version and is dropped, for an overload of an earlier signature would make calls ambiguous.
    """
    find_vector(connection)
    order = (SQL / "order.txt").read_text().split()
    for name in order:
        if not name.startswith("access/"):
            connection.execute(render(SQL / name))
    for (stale,) in connection.execute(_STALE).fetchall():
        connection.execute(f"DROP ROUTINE {stale}".encode())
    for name in order:
        if name.startswith("access/"):  # these touch every function, so they come when the stale ones are gone
            connection.execute(render(SQL / name))


def render(path: Path) -> bytes:
    """Return a file's SQL; a template (.mako) writes functions that differ in a few words once for all of them."""
    if path.suffix == ".mako":
        return str(Template(path.read_text()).render()).encode()
    return path.read_bytes()


def find_vector(connection: Connection) -> None:
    """Put pgvector's schema into the transaction's search path: signatures name its type."""
    connection.execute(
        "SELECT set_config('search_path', 'pg_catalog, ' || quote_ident(n.nspname), true)"
        " FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'"
    )
