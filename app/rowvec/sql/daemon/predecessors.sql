-- Purpose: the processes that were registered from this host, to see which of them are dead.
SELECT id, pid, extract(epoch FROM started_at)::float8 AS started FROM rowvec_internal.daemon WHERE name = %(name)s
  AND id <> %(daemon)s
