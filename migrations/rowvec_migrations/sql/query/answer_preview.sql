-- Answers how a source cuts a text: with JSON as rowvec/search/preview.py writes it and rowvec.preview reads it, or,
-- after an exclamation mark, with why it cannot be said. The mailbox carries the same. Called by the daemon. Index:
-- the primary key.
CREATE OR REPLACE FUNCTION rowvec_internal.answer_preview(p_id uuid, p_said text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  UPDATE rowvec_internal.query
  SET chunks = CASE WHEN p_said NOT LIKE '!%' THEN p_said END, error = CASE WHEN p_said LIKE '!%'
    THEN substr(p_said, 2) END
  WHERE id = p_id
$$;
