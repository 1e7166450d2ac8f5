-- Purpose: the sources that daemons work for, with their models. Locks: none. Called: each refresh of the catalogue.
-- A table that was dropped has no name any more: such a source is still listed, to be held against the catalogue.
SELECT s.id, s.name, coalesce(n.nspname, ''), coalesce(c.relname, ''), s.key_columns::text[], s.key_types, s.text_columns::text[],
       rowvec_internal.text_sql('d', s.source_table, s.text_columns, s.template), coalesce(s.document_prompt, m.manifest #>> '{prompts,document}', ''), s.into_column, a.type, a.send,
       s.chunk_tokens, s.chunk_overlap, s.on_overflow, s.store_text, s.index_kind, s.recipe, s.state, coalesce(v.relname, ''),
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = s.vector_table AND a.attname = 'chunk_start' AND NOT a.attisdropped),
       m.id, m.name, m.fingerprint, m.precision, m.dims, m.max_tokens, coalesce(b.phase, 'done')
FROM rowvec_internal.source s
JOIN rowvec_internal.model m ON m.id = s.model_id
LEFT JOIN pg_class c ON c.oid = s.source_table LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class v ON v.oid = s.vector_table
LEFT JOIN LATERAL (SELECT format_type(a.atttypid, a.atttypmod) AS type, t.typsend::text AS send FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                   WHERE a.attrelid = s.source_table AND a.attname = s.into_column AND NOT a.attisdropped) a ON true
LEFT JOIN rowvec_internal.backfill b ON b.source_id = s.id
ORDER BY s.id
