-- Purpose: keys of a backfill that wait in the log. Index: change_pkey (source_id, lane).
SELECT coalesce(sum(cardinality(keys)), 0)::bigint FROM rowvec_internal.change WHERE source_id = %(source)s AND lane = 1
