-- Wakes whoever asked these texts; called by the daemon after the commit of the answers, so that they are seen.
CREATE OR REPLACE FUNCTION rowvec_internal.release_queries(p_ids uuid[]) RETURNS boolean LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT bool_and(pg_advisory_unlock(rowvec_internal.query_lock(id))) FROM unnest(p_ids) id
$$;
