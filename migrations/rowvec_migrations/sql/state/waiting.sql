-- Is work left of what was committed up to this token? For wait(). Runs with the owner's rights, so that a role that
-- may not read the change log can wait. Locks: none. Index: change_pkey.
CREATE OR REPLACE FUNCTION rowvec_internal.waiting(p_source smallint, p_token bigint) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM rowvec_internal.change WHERE source_id = p_source AND lane = 0 AND seq <= p_token)
      OR EXISTS (SELECT FROM rowvec_internal.backfill WHERE source_id = p_source AND phase <> 'done')
      OR EXISTS (SELECT FROM rowvec_internal.change WHERE source_id = p_source AND lane = 1)
$$;
