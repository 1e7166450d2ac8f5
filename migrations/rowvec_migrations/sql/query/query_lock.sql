-- The advisory lock that a daemon holds while it works on a query text.
CREATE OR REPLACE FUNCTION rowvec_internal.query_lock(p_id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT hashtextextended(p_id::text, 1919907702)
$$;
