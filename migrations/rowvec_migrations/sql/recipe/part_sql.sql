-- SQL for one column of a row as text, as a person would read it: text as it is, lists with commas, JSON by its
-- words, dates by day and minute (in UTC, so that no session's settings change them), yes and no. A column that does
-- not exist is named as text: the statement then fails by its name. Locks: none. Called by text_sql.
CREATE OR REPLACE FUNCTION rowvec_internal.part_sql(p_record text, p_table oid, p_column name) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE type(oid, base) AS (
    SELECT t.oid, t.typbasetype FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = p_table
      AND a.attname = p_column
    UNION ALL SELECT t.oid, t.typbasetype FROM type JOIN pg_type t ON t.oid = type.base
  )
  SELECT format('rowvec_internal.text_part(%s)', format(CASE
    WHEN t.typname IN ('json', 'jsonb') THEN 'rowvec_internal.json_text(%s::text)'
    WHEN t.typcategory = 'A' THEN 'pg_catalog.array_to_string(%s, '', '')'
    WHEN t.typname = 'bool' THEN 'CASE WHEN %1$s THEN ''yes'' WHEN NOT %1$s THEN ''no'' END'
    WHEN t.typname = 'date' THEN 'pg_catalog.to_char(%s, ''YYYY-MM-DD'')'
    WHEN t.typname = 'timestamp' THEN 'pg_catalog.to_char(%s, ''YYYY-MM-DD HH24:MI'')'
    WHEN t.typname = 'timestamptz' THEN 'pg_catalog.to_char(%s AT TIME ZONE ''UTC'', ''YYYY-MM-DD HH24:MI "UTC"'')'
    ELSE '%s::text' END, format('%s.%I', p_record, p_column)))
  FROM (VALUES (0)) one LEFT JOIN type ON type.base = 0 LEFT JOIN pg_type t ON t.oid = type.oid
$$;
