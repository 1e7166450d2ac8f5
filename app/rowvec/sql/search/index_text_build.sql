-- Purpose: make the full text index of a source's text. Locks: SHARE UPDATE EXCLUSIVE on its table: reads and writes
-- go on. Called by: index_build.build_text; outside of a transaction.
CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} USING gin (({expression}))
