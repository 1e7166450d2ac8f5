-- Purpose: compare a source with the system catalogue; returns its problem, or NULL. Locks: those of
-- rowvec_internal.resolve.
SELECT rowvec_internal.resolve(%(source)s::smallint)
