-- Deletes requests that nobody waits for any more, and the oldest cached vectors beyond the limit. Called by the
-- daemon.
CREATE OR REPLACE FUNCTION rowvec_internal.sweep_queries(p_cached bigint) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM rowvec_internal.query WHERE asked_at < clock_timestamp() - interval '1 min';
  DELETE FROM rowvec_internal.query_cache WHERE number <= (SELECT max(number)
    FROM rowvec_internal.query_cache) - p_cached;
$$;
