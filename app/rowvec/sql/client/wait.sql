-- Purpose: wait until what is committed is searchable. Locks: none. Called by: Client.wait, outside a transaction.
CALL rowvec.wait(%(name)s::text, make_interval(secs => %(timeout)s::float8))
