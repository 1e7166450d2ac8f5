-- Purpose: how far an index build is: its phase, and the share of it that is done. Locks: none.
-- Called by: index_build, twice a second.
SELECT phase, coalesce(tuples_done::float8 / nullif(tuples_total, 0), blocks_done::float8 / nullif(blocks_total, 0), 0)
FROM pg_stat_progress_create_index WHERE pid = %s
