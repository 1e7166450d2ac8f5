-- Purpose: take requests of SQL functions for vectors or chunks. Locks: the rows taken, and an advisory lock for each.
-- Index: query_pkey. Called by: requests.QueryTable, at each notification and once in poll_seconds.
SELECT id, model_id AS model, prompt, query, source_id AS source
FROM rowvec_internal.claim_queries(%s::smallint[])
