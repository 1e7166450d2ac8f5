-- Answers one text with why it has no vector. Called by the daemon. Index: the primary key.
CREATE FUNCTION rowvec._fail_query(p_id uuid, p_error text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  UPDATE rowvec.query SET error = p_error WHERE id = p_id
$$;
