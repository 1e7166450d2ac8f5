"""The baseline: schemas, tables, sequences. Functions and views are applied by every migrate: see replaceable.py."""

from __future__ import annotations

from alembic import op

from rowvec_migrations import replaceable
from rowvec_migrations.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the extension where it may be made, then the tables."""
    replaceable.execute_baseline()


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
    for table in reversed(metadata.sorted_tables):
        op.execute(f"DROP TABLE {table.fullname}")
    op.execute("DROP SEQUENCE rowvec_internal.change_seq, rowvec_internal.armed, rowvec_internal.query_hits")
