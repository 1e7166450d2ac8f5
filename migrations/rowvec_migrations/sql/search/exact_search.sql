-- The statement of an exact search; made only when it is needed. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.exact_search(p_source text, p_row_type oid, p_filter text,
  p_per_row boolean) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  f record := rowvec_internal.search_facts(p_source, p_row_type);
BEGIN
  RETURN rowvec_internal.search_sql(f, p_row_type IS NOT NULL, p_filter, true, 1, p_per_row);
END $fn$;
