-- Purpose: the sources that daemons work for, with their models. Locks: none. Called: each refresh of the catalogue.
SELECT s.id, s.name, n.nspname, c.relname, s.key_columns::text[], s.key_types, s.text_columns::text[], s.template, s.state,
       v.relname, m.id, m.name, m.fingerprint, m.precision, m.dims, m.manifest #>> '{prompts,document}', b.phase
FROM rowvec.source s
JOIN rowvec.model m ON m.id = s.model_id
JOIN pg_class c ON c.oid = s.source_table JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class v ON v.oid = s.vector_table
LEFT JOIN rowvec.backfill b ON b.source_id = s.id
ORDER BY s.id
