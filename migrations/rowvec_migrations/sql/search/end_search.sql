-- Puts the settings back as begin_search found them. After an error they go back by themselves, since they were set
-- for the transaction. Returns a text, so that it can be called by an assignment, which plpgsql evaluates directly.
-- It runs in each search of 0.1 ms, hence without a search_path of its own.
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
