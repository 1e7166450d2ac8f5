-- Purpose: end a source. Locks: ACCESS EXCLUSIVE on its table, briefly. Called by: Client.unwatch.
SELECT rowvec.unwatch(%(name)s::text, drop_vectors => %(drop_vectors)s::boolean)
