"""Text to vector inside a SELECT, search, similar, hybrid_search, and the rights to read vectors."""

from __future__ import annotations

from alembic import op

import migrations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run migrations/sql/0002 with pgvector's schema in the search path: signatures name its type."""
    op.execute(
        "SELECT set_config('search_path', 'pg_catalog, ' || quote_ident(n.nspname), true)"
        " FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'"
    )
    migrations.execute("0002")
    op.execute("RESET search_path")


def downgrade() -> None:
    """Drop what 0002 made; watched sources stay."""
    op.execute("DROP SEQUENCE rowvec.query_hits")
    op.execute("DROP TABLE rowvec.query, rowvec.query_cache CASCADE")
