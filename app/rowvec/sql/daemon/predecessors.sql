-- Purpose: the processes that were registered from this host, to see which of them are dead.
SELECT id, pid FROM rowvec_internal.daemon WHERE name = %(name)s AND id <> %(daemon)s
