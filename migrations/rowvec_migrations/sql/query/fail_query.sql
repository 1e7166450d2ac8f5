-- Answers one text with why it has no vector. Called by the daemon. Index: the primary key.
CREATE OR REPLACE FUNCTION rowvec_internal.fail_query(p_id uuid, p_error text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  UPDATE rowvec_internal.query SET error = p_error WHERE id = p_id
$$;
