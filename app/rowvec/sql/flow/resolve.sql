-- Purpose: hold a source against the system catalogue; returns its problem, or NULL. Locks: see migrations, _resolve.
SELECT rowvec_internal.resolve(%(source)s::smallint)
