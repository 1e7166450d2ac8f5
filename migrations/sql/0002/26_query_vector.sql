-- The vector of a query text: from the cache, else from a daemon. Runs with the owner's rights: the cache and the
-- loop-back password are for nobody else. Index: the cache's primary key.
CREATE FUNCTION rowvec._query_vector(p_query text, p_source text, p_model text) RETURNS vector LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_model   rowvec.model := rowvec._query_model(p_source, p_model);
  v_prompt  text := coalesce((SELECT query_prompt FROM rowvec.source WHERE name = p_source), v_model.manifest -> 'prompts' ->> 'query', '');
  v_timeout interval;
  v_way     record;
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
  BEGIN
    v_timeout := coalesce(nullif(current_setting('rowvec.query_timeout', true), ''), '5 s');
  EXCEPTION WHEN invalid_datetime_format THEN
    RAISE EXCEPTION 'rowvec.query_timeout is "%", which is no interval', current_setting('rowvec.query_timeout')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: SET rowvec.query_timeout = ''5 s''.';
  END;
  v_way := rowvec._query_way();
  IF v_way.way = 'loopback' THEN
    v_vector := rowvec._by_loopback(v_model.id, v_prompt, p_query, v_timeout);
  ELSIF v_way.way = 'mailbox' THEN
    v_vector := rowvec._by_mailbox(rowvec._mailbox_folder(), v_model.id, v_prompt, p_query, v_timeout);
  ELSE
    RAISE EXCEPTION 'no daemon can be asked from SQL here' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = v_way.missing;
  END IF;
  RETURN v_vector;
END $fn$;
