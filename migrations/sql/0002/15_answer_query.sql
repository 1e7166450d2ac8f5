-- Answers one text, by vector or by error. Called by the daemon. Index: the primary key.
CREATE FUNCTION rowvec._answer_query(p_id uuid, p_answer text, p_error text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  UPDATE rowvec.query SET answer = p_answer, error = p_error WHERE id = p_id
$$;
