-- Puts a vector into the cache. Called by the daemon, after the answer has gone out.
CREATE FUNCTION rowvec._remember_query(p_model smallint, p_prompt text, p_query text, p_vector real[]) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO rowvec.query_cache (key, model_id, vector)
  SELECT rowvec._query_key(m.fingerprint, m.precision, p_prompt, p_query), m.id, p_vector FROM rowvec.model m WHERE m.id = p_model
  ON CONFLICT (key) DO NOTHING
$$;
