"""The baseline: schemas, tables, sequences. Functions and views are applied by every migrate: see rowvec_migrations."""

from __future__ import annotations

from alembic import op

import rowvec_migrations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the extension where it may be made, then the tables."""
    rowvec_migrations.execute_baseline()


def downgrade() -> None:
    """Unwatch everything, then drop all that is ours; the vector tables go with it."""
    op.execute("SELECT rowvec_internal.drop_loopback()")
    op.execute("SELECT rowvec.unwatch(name, drop_vectors => true) FROM rowvec_internal.source")
    op.execute("DROP VIEW rowvec.status, rowvec.errors")
    op.execute("""
        DO $$ DECLARE f regprocedure; BEGIN
          FOR f IN SELECT oid FROM pg_proc
                   WHERE pronamespace IN ('rowvec'::regnamespace, 'rowvec_internal'::regnamespace) LOOP
            EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', f);
          END LOOP;
        END $$""")
    for table in ("plain", "query", "query_cache", "backfill", "tally", "dead", "change", "daemon", "source", "model"):
        op.execute(f"DROP TABLE rowvec_internal.{table}")
    op.execute("DROP SEQUENCE rowvec_internal.change_seq, rowvec_internal.armed, rowvec_internal.query_hits")
