-- Purpose: the rows that could not be embedded, newest first. Locks: none.
-- Index: the primary key of rowvec_internal.dead. Called by: Client.errors.
SELECT name, key, state, attempts, error, text_length, text_hash, at, nullif(next_try_at, '-infinity') AS next_try_at
FROM rowvec.errors
WHERE %(name)s::text IS NULL OR name = %(name)s::text
ORDER BY at DESC NULLS LAST, name, key
LIMIT %(limit)s::bigint
