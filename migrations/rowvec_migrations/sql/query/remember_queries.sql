-- Puts vectors into the cache. Called by the daemon, after it has answered.
CREATE OR REPLACE FUNCTION rowvec_internal.remember_queries(p_model smallint, p_prompt text, p_queries text[],
  p_vectors vector[]) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rowvec_internal.query_cache (key, model_id, vector)
  SELECT rowvec_internal.query_key(m.fingerprint, m.precision, p_prompt, q.query), m.id, q.vector
  FROM rowvec_internal.model m, unnest(p_queries, p_vectors) q(query, vector) WHERE m.id = p_model
  ON CONFLICT (key) DO NOTHING;
END $$;
