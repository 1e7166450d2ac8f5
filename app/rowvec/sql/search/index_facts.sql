-- Purpose: what the choice of an index depends on, and the indexes that are there. Locks: none. Called by: index.
SELECT c.oid::regclass::text AS vectors, quote_ident(coalesce(s.into_column, 'embedding')) AS embedding, s.into_column IS NOT NULL AS in_row, c.relkind = 'p' AS partitioned,
       (SELECT t.typname = 'halfvec' FROM pg_attribute f JOIN pg_type t ON t.oid = f.atttypid WHERE f.attrelid = c.oid AND f.attname = s.into_column) AS half,
       c.relname || coalesce('_' || s.into_column, '') AS bare, m.dims, m.similarity, s.text_columns::text[] AS text_columns, s.source_table::text AS source_table,
       e.extversion AS version, n.nspname AS schema, greatest(c.reltuples, pg_stat_get_live_tuples(c.oid))::bigint AS rows, coalesce(b.phase, 'done') = 'done' AS backfilled,
       pg_size_bytes(current_setting('maintenance_work_mem')) AS memory, current_setting('max_parallel_maintenance_workers')::int AS workers,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = c.oid) AS building,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('name', i.indexrelid::regclass::text, 'valid', i.indisvalid, 'kind', split_part(o.opcname, '_', 1))), '[]')
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam JOIN pg_opclass o ON o.oid = i.indclass[0]
        WHERE i.indrelid = c.oid AND a.amname = 'hnsw' AND (s.into_column IS NULL OR starts_with(x.relname, left(c.relname || '_' || s.into_column || '_hnsw', 60)))) AS present   -- a user's own is none of ours
FROM rowvec_internal.source s JOIN rowvec_internal.model m ON m.id = s.model_id JOIN pg_class c ON c.oid = CASE WHEN s.into_column IS NULL THEN s.vector_table ELSE s.source_table END
JOIN pg_extension e ON e.extname = 'vector' JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN rowvec_internal.backfill b ON b.source_id = s.id
WHERE s.name = %s
