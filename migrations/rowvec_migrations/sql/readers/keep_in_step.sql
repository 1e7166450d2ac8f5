-- Follows a renamed table, which fires no trigger: the functions that check a row and that search name it. Called by
-- the daemon every 30 s. Locks: none when nothing was renamed.
CREATE OR REPLACE FUNCTION rowvec_internal.keep_in_step() RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_source smallint;
BEGIN
  FOR v_source IN SELECT id FROM rowvec_internal.source LOOP
    BEGIN
      PERFORM rowvec_internal.grant_vectors(v_source);
      PERFORM rowvec_internal.prepare_search(v_source);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'the rights to read the vectors of source % could not be followed: %', v_source, SQLERRM;
    END;
  END LOOP;
END $fn$;
