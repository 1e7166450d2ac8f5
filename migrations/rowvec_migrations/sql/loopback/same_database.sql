-- Is this session in that database of that server? Run over the loop-back connection by try_loopback.
CREATE OR REPLACE FUNCTION rowvec_internal.same_database(p_database oid, p_started numeric) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT extract(epoch FROM pg_postmaster_start_time()) = p_started AND EXISTS (SELECT FROM pg_database
    WHERE oid = p_database AND datname = current_database())
$$;
