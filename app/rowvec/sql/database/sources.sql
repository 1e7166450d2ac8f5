-- Purpose: the sources that daemons work for, with their models. Locks: none. Called: each refresh of the catalogue.
-- The columns have the names of rowvec.database.sources.Source; model_… are those of Model.
-- A table that was dropped has no name any more: such a source is still listed, so that rowvec.status can say so.
SELECT s.id, s.name, coalesce(n.nspname, '') AS schema, coalesce(c.relname, '') AS "table",
       s.key_columns::text[], s.key_types, s.text_columns::text[],
       rowvec_internal.text_sql('d', s.source_table, s.text_columns, s.template) AS text_sql,
       coalesce(s.document_prompt, m.manifest #>> '{prompts,document}', '') AS prompt,
       s.into_column, a.column_type, a.column_send,
       s.chunk_tokens, s.chunk_overlap, s.on_overflow, s.store_text, s.index_kind, s.recipe, s.state,
       coalesce(v.relname, '') AS vector_table,
       EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = s.vector_table AND attname = 'chunk_start' AND NOT attisdropped) AS has_chunks,
       m.id AS model_id, m.name AS model_name, m.fingerprint AS model_fingerprint, m.precision AS model_precision,
       m.dims AS model_dims, m.max_tokens AS model_max_tokens,
       coalesce(b.phase, 'done') AS backfill_phase
FROM rowvec_internal.source s
JOIN rowvec_internal.model m ON m.id = s.model_id
LEFT JOIN pg_class c ON c.oid = s.source_table
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class v ON v.oid = s.vector_table
LEFT JOIN LATERAL (
  SELECT format_type(a.atttypid, a.atttypmod) AS column_type, t.typsend::text AS column_send
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = s.source_table AND a.attname = s.into_column AND NOT a.attisdropped) a ON true
LEFT JOIN rowvec_internal.backfill b ON b.source_id = s.id
ORDER BY s.id
