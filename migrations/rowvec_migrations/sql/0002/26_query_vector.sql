-- The vector of a query text: from the cache, else from a daemon. Runs with the owner's rights: the cache and the
-- loop-back password are for nobody else. Index: the cache's primary key.
CREATE FUNCTION rowvec._query_vector(p_query text, p_source text, p_model text) RETURNS vector LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_model   rowvec.model := rowvec._query_model(p_source, p_model);
  v_prompt  text := coalesce((SELECT query_prompt FROM rowvec.source WHERE name = p_source), v_model.manifest -> 'prompts' ->> 'query', '');
  v_vector  rowvec.query_cache.vector%TYPE;
BEGIN
  IF p_query IS NULL THEN
    RETURN NULL;
  END IF;
  IF p_query !~ '\S' THEN
    RAISE EXCEPTION 'the query text is blank' USING ERRCODE = 'invalid_parameter_value', HINT = 'Say what to search for.';
  END IF;
  IF NOT pg_is_in_recovery() THEN   -- unlogged tables cannot be read on a standby
    SELECT c.vector INTO v_vector FROM rowvec.query_cache c
    WHERE c.key = rowvec._query_key(v_model.fingerprint, v_model.precision, v_prompt, p_query);
    IF FOUND THEN
      IF current_setting('transaction_read_only') = 'off' THEN
        PERFORM nextval('rowvec.query_hits');
      END IF;
      RETURN v_vector;
    END IF;
  END IF;
  RETURN rowvec._ask_daemon(v_model.id, v_prompt, p_query, NULL);
END $fn$;
