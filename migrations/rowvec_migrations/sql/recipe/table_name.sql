-- How messages write a table's name: with its schema, unless that is public or temporary. The functions that use it
-- have a fixed search_path, under which a regclass would be written with its schema always. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.table_name(p_table regclass) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT CASE WHEN n.nspname = 'public' OR n.nspname LIKE 'pg\_temp\_%' THEN ''
    ELSE quote_ident(n.nspname) || '.' END || quote_ident(c.relname)
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = p_table), p_table::text)
$$;
