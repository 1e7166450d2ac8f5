-- Purpose: the sources whose triggers are missing or disabled. Locks: none. Index: pg_trigger_tgrelid_tgname_index.
-- Called by: doctor.
SELECT s.name, s.source_table::text AS table_name, count(t.oid) AS triggers,
       CASE c.relkind WHEN 'p' THEN 3 ELSE 4 END + (s.into_column IS NOT NULL)::int AS expected,
       count(t.oid) FILTER (WHERE t.tgenabled IN ('D', 'R')) AS disabled
FROM rowvec_internal.source s
JOIN pg_class c ON c.oid = s.source_table
LEFT JOIN pg_trigger t ON t.tgrelid = s.source_table AND NOT t.tgisinternal
  AND starts_with(t.tgname, 'rowvec_' || s.id || '_')
WHERE s.state <> 'paused'
GROUP BY s.id, c.relkind ORDER BY s.name
