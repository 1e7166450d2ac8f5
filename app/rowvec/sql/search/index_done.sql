-- Purpose: let plain searches of a source use its new index at once, not when a daemon looks next. Locks: our own rows.
-- Index: the names of the sources. Called by: index_build.build.
SELECT rowvec_internal.prepare_search(id) FROM rowvec_internal.source WHERE name = %(source)s
