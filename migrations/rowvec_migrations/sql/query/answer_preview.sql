-- Answers how a source cuts a text, with JSON as rowvec/search/preview.py writes it and rowvec.preview reads it.
-- Called by the daemon. Index: the primary key.
CREATE OR REPLACE FUNCTION rowvec_internal.answer_preview(p_id uuid, p_chunks text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  UPDATE rowvec_internal.query SET chunks = p_chunks WHERE id = p_id
$$;
