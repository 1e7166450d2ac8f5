-- Purpose: what the choice of an index depends on, and the indexes that are there. Locks: none. Called by: index_plan.
-- In column mode the user's own HNSW indexes are left out: ours have the name that we give them.
SELECT c.oid::regclass::text AS vectors, quote_ident(coalesce(s.into_column, 'embedding')) AS embedding,
       s.into_column IS NOT NULL AS in_row, c.relkind = 'p' AS partitioned,
       EXISTS (SELECT FROM pg_attribute f JOIN pg_type t ON t.oid = f.atttypid
               WHERE f.attrelid = c.oid AND f.attname = s.into_column AND t.typname = 'halfvec') AS half,
       c.relname || coalesce('_' || s.into_column, '') AS stem, m.dims, m.similarity,
       e.extversion AS version, n.nspname AS schema,
       greatest(c.reltuples, pg_stat_get_live_tuples(c.oid))::bigint AS rows,
       coalesce(b.phase, 'done') = 'done' AS backfilled,
       pg_size_bytes(current_setting('maintenance_work_mem')) AS memory,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = c.oid) AS building,
       h.present, h.broken
FROM rowvec_internal.source s
JOIN rowvec_internal.model m ON m.id = s.model_id
JOIN pg_class c ON c.oid = CASE WHEN s.into_column IS NULL THEN s.vector_table ELSE s.source_table END
JOIN pg_extension e ON e.extname = 'vector'
JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN rowvec_internal.backfill b ON b.source_id = s.id
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(x.oid::regclass::text) FILTER (WHERE i.indisvalid), '{}') AS present,
         coalesce(array_agg(x.oid::regclass::text) FILTER (WHERE NOT i.indisvalid), '{}') AS broken
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am a ON a.oid = x.relam
  WHERE i.indrelid = c.oid AND a.amname = 'hnsw'
    AND (s.into_column IS NULL OR starts_with(x.relname, left(c.relname || '_' || s.into_column || '_hnsw', 60)))) h
WHERE s.name = %s
