-- Purpose: the sources whose index a daemon is to build: asked for, none there that is valid, the backfill embedded
-- to its end, rows enough. The planner's count of rows is of the last ANALYZE; what was written since is in the
-- statistics. Locks: none. Called by: indexer.
SELECT s.name
FROM rowvec_internal.source s JOIN pg_class c ON c.oid = CASE WHEN s.into_column IS NULL THEN s.vector_table
  ELSE s.source_table END
LEFT JOIN rowvec_internal.backfill b ON b.source_id = s.id
WHERE s.index_kind = 'auto' AND c.relkind <> 'p' AND s.state = 'active' AND coalesce(b.phase, 'done') = 'done'
  AND NOT EXISTS (SELECT FROM rowvec_internal.change w WHERE w.source_id = s.id AND w.lane = 1)
  AND greatest(c.reltuples, pg_stat_get_live_tuples(c.oid)) >= %(rows)s
  AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
                  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = x.oid AND d.refobjid = c.oid
                  JOIN pg_attribute f ON f.attrelid = c.oid AND f.attnum = d.refobjsubid
                    AND f.attname = coalesce(s.into_column, 'embedding')
                  WHERE i.indrelid = c.oid AND i.indisvalid AND a.amname = 'hnsw')
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = c.oid)
ORDER BY s.id
