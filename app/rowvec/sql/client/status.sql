-- Purpose: every source, or one, with what waits, what failed and how far its backfill is. Locks: none.
-- Index: the primary keys of rowvec_internal.change and rowvec_internal.dead. Called by: Client.status.
SELECT name, table_name, model, state, pending, leased, retrying, dead, extract(epoch FROM lag)::float8 AS lag_seconds,
       backfill, backfill_enqueued, backfill_estimate, vector_table, daemons, problem, index, truncated
FROM rowvec.status
WHERE %(name)s::text IS NULL OR name = %(name)s::text
