-- Purpose: let plain searches of a source go by its new index at once, instead of when a daemon looks next. Locks: none but our own rows.
-- Index: the names of the sources. Called by: index.
SELECT rowvec_internal.make_plain(id) FROM rowvec_internal.source WHERE name = %(source)s
