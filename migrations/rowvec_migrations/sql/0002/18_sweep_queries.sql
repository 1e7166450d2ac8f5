-- Forgets requests that nobody waits for any more and the oldest cached vectors beyond the limit. Called by the daemon.
CREATE FUNCTION rowvec._sweep_queries(p_cached bigint) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM rowvec.query WHERE asked_at < clock_timestamp() - interval '1 min';
  DELETE FROM rowvec.query_cache WHERE number <= (SELECT max(number) FROM rowvec.query_cache) - p_cached;
$$;
