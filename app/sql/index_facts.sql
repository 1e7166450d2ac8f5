-- Purpose: what the choice of an index depends on, and the indexes that are there. Locks: none. Called by: index.
SELECT s.vector_table::text AS vectors, split_part(s.vector_table::text, '.', 2) AS bare, m.dims, m.similarity, s.text_columns::text[] AS text_columns, s.source_table::text AS source_table,
       e.extversion AS version, n.nspname AS schema, greatest(c.reltuples, 0)::bigint AS rows, coalesce(b.phase, 'done') = 'done' AS backfilled,
       pg_size_bytes(current_setting('maintenance_work_mem')) AS memory, current_setting('max_parallel_maintenance_workers')::int AS workers,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('name', i.indexrelid::regclass::text, 'valid', i.indisvalid, 'kind', split_part(o.opcname, '_', 1))), '[]')
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam JOIN pg_opclass o ON o.oid = i.indclass[0]
        WHERE i.indrelid = s.vector_table AND a.amname = 'hnsw') AS present
FROM rowvec.source s JOIN rowvec.model m ON m.id = s.model_id JOIN pg_class c ON c.oid = s.vector_table
JOIN pg_extension e ON e.extname = 'vector' JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN rowvec.backfill b ON b.source_id = s.id
WHERE s.name = %s
