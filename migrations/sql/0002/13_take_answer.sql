-- Takes an answer away, if it is there; run over the loop-back connection. Index: the primary key.
CREATE FUNCTION rowvec._take_answer(p_id uuid, OUT answer text, OUT error text) RETURNS SETOF record LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM rowvec.query q WHERE q.id = p_id AND (q.answer IS NOT NULL OR q.error IS NOT NULL) RETURNING q.answer, q.error
$$;
