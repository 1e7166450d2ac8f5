-- The vector of a query text: from the cache, else from a daemon. Runs with the owner's rights: the cache and the
-- loop-back password are for nobody else. Index: the cache's primary key.
CREATE OR REPLACE FUNCTION rowvec_internal.query_vector(p_query text, p_source text, p_model text) RETURNS vector
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_model   rowvec_internal.model := rowvec_internal.query_model(p_source, p_model);
  v_prompt  text := coalesce((SELECT query_prompt FROM rowvec_internal.source WHERE name = p_source),
    v_model.manifest -> 'prompts' ->> 'query', '');
  v_vector  rowvec_internal.query_cache.vector%TYPE;
BEGIN
  IF p_query IS NULL THEN
    RETURN NULL;
  END IF;
  IF p_query !~ '\S' THEN
    RAISE EXCEPTION 'the query text is blank' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say what to search for.';
  END IF;
  IF NOT pg_is_in_recovery() THEN   -- unlogged tables cannot be read on a standby
    SELECT c.vector INTO v_vector FROM rowvec_internal.query_cache c
    WHERE c.key = rowvec_internal.query_key(v_model.fingerprint, v_model.precision, v_prompt, p_query);
    IF FOUND THEN
      IF current_setting('transaction_read_only') = 'off' THEN
        PERFORM nextval('rowvec_internal.query_hits');
      END IF;
      RETURN v_vector;
    END IF;
  END IF;
  RETURN rowvec_internal.ask_daemon(v_model.id, v_prompt, p_query, NULL);
END $fn$;
