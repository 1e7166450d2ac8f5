"""Text to vector inside a SELECT, search, similar, hybrid_search, and the rights to read vectors."""

from __future__ import annotations

from alembic import op

import rowvec_migrations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# fmt: off
FUNCTIONS = (
    "_extension_schema", "_query_model", "_ask", "_query_lock", "_take_answer", "_claim_queries", "_answer_queries",
    "_fail_query", "_release_queries", "_query_key", "_remember_queries", "_sweep_queries", "_listens",
    "_mailbox_folder", "_query_way", "_no_answer", "_by_loopback", "_by_mailbox", "_query_vector", "embed",
    "_set_loopback", "_grant_loopback", "_drop_loopback", "_same_database", "_try_loopback", "_table_of",
    "_grant_vectors", "_ungrant_vectors", "_follow_source", "_search_facts", "_estimate", "_search_sql",
    "_begin_search", "_exact_search", "_end_search", "search", "_key_matches", "_own_vector", "similar",
    "_text_document", "_text_hits", "hybrid_search", "_keep_in_step", "_ask_daemon", "_answer_preview",
    "_preview_facts", "preview", "_chunk_search_sql", "_make_plain", "_ready", "_source_of",
)
# fmt: on


def upgrade() -> None:
    """Run migrations/sql/0002 with pgvector's schema in the search path: signatures name its type."""
    op.execute(
        "SELECT set_config('search_path', 'pg_catalog, ' || quote_ident(n.nspname), true)"
        " FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'"
    )
    rowvec_migrations.execute("0002")
    op.execute("RESET search_path")


def downgrade() -> None:
    """Drop what 0002 made; watched sources and their vectors stay, readable by their owner only."""
    op.execute("SELECT rowvec._drop_loopback()")
    op.execute("DROP TRIGGER follow_source ON rowvec.source")
    op.execute(
        "DO $$ DECLARE s rowvec.source; BEGIN FOR s IN SELECT * FROM rowvec.source LOOP"
        " PERFORM rowvec._ungrant_vectors(s.vector_table);"
        " EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', s.vector_table);"
        " EXECUTE format('REVOKE SELECT ON %s FROM PUBLIC', s.vector_table);"
        " END LOOP; END $$"
    )
    names = ", ".join(f"'{name}'" for name in FUNCTIONS)
    op.execute(
        "DO $$ DECLARE f regprocedure; BEGIN FOR f IN SELECT oid FROM pg_proc"
        " WHERE pronamespace = 'rowvec'::regnamespace"
        f" AND (proname IN ({names}) OR proname ~ '^source_[0-9]+_(visible|nearest)$')"
        " LOOP EXECUTE format('DROP ROUTINE %s', f); END LOOP; END $$"
    )
    op.execute("DROP TABLE rowvec.plain")
    op.execute("DROP SEQUENCE rowvec.query_hits")
    op.execute("DROP TABLE rowvec.query, rowvec.query_cache")
