-- Purpose: how far one source is; no row when there is none of that name. Locks: none.
-- Index: the primary keys of rowvec_internal.change and rowvec_internal.dead. Called by: progress.read.
SELECT state, problem, pending, dead, backfill, backfill_enqueued, backfill_estimate, daemons
FROM rowvec.status WHERE name = %s
