"""The catalogue, the change log, its triggers, watch and wait."""

from __future__ import annotations

from alembic import op

import rowvec_migrations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the extension where it may be made, then run migrations/sql/0001."""
    rowvec_migrations.execute("0001")


def downgrade() -> None:
    """Unwatch everything, then drop what 0001 made; the vector tables go with it."""
    op.execute("SELECT rowvec.unwatch(name, drop_vectors => true) FROM rowvec.source")
    op.execute("DROP VIEW rowvec.status, rowvec.errors")
    op.execute("""
        DO $$ DECLARE f regprocedure; BEGIN
          FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'rowvec'::regnamespace LOOP
            EXECUTE format('DROP ROUTINE %s CASCADE', f);
          END LOOP;
        END $$""")
    for table in ("backfill", "tally", "dead", "change", "worker", "source", "model"):
        op.execute(f"DROP TABLE rowvec.{table}")
    op.execute("DROP SEQUENCE rowvec.change_seq, rowvec.armed")
