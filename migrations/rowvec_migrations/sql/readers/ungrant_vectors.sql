-- Drops our policies on a vector table, which then shows nothing but to its owner. Locks: ACCESS EXCLUSIVE on it,
-- briefly.
CREATE OR REPLACE FUNCTION rowvec_internal.ungrant_vectors(p_vectors regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_policy name;
BEGIN
  FOR v_policy IN SELECT polname FROM pg_policy WHERE polrelid = p_vectors
    AND polname ~ '^rowvec_(read|write)_\d+$' LOOP
    EXECUTE format('DROP POLICY %I ON %s', v_policy, p_vectors);
  END LOOP;
END $fn$;
