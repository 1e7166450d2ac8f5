-- The schema that an extension lives in, quoted; NULL when it is not there.
CREATE OR REPLACE FUNCTION rowvec_internal.extension_schema(p_name name) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = p_name
$$;
