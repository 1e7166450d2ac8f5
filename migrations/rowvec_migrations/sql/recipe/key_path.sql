-- The search_path under which `=` compares a table's key columns as their own types do: pg_catalog, then the schemas of
-- types that live elsewhere (citext). For what is made for a source. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.key_path(p_table regclass, p_columns name[]) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'pg_catalog' || coalesce(string_agg(DISTINCT ', ' || quote_ident(n.nspname), ''), '') || ', pg_temp'
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE a.attrelid = p_table AND a.attname = ANY (p_columns) AND n.nspname <> 'pg_catalog'
$$;
