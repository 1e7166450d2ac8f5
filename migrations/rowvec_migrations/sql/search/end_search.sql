-- Puts the settings back as _begin_search found them. An error does so by itself: they were set for the transaction
-- only. Returns a text, so that it can be called by an assignment, which is evaluated directly.
CREATE OR REPLACE FUNCTION rowvec_internal.end_search(p_settings text[]) RETURNS text LANGUAGE plpgsql VOLATILE AS $fn$
DECLARE
  v_set text;
BEGIN
  v_set := pg_catalog.set_config('jit', p_settings[1], true);
  v_set := pg_catalog.set_config('hnsw.ef_search', coalesce(p_settings[2], '40'), true);
  IF p_settings[3] IS NOT NULL THEN
    v_set := pg_catalog.set_config('hnsw.iterative_scan', p_settings[3], true);
  END IF;
  RETURN v_set;
END $fn$;
