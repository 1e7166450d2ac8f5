-- Purpose: try again what failed. Locks: rows of rowvec_internal.dead and change. Called by: Client.retry.
SELECT rowvec.retry(%(name)s::text, %(key)s::text)
