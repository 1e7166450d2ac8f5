-- Answers how a source cuts a text. Called by the daemon. Index: the primary key.
CREATE FUNCTION rowvec._answer_preview(p_id uuid, p_chunks text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  UPDATE rowvec.query SET chunks = p_chunks WHERE id = p_id
$$;
