-- Takes an answer away, if it is there; run over the loop-back connection. While a daemon works on the text it holds
-- the text's advisory lock, and this waits for that lock: it wakes with the answer and uses no CPU until then.
-- Polling took a quarter of a core from the encoder, and 1 ms until the answer was seen. It waits 20 ms only, so that
-- a cancel is seen in time: before PostgreSQL 17, dblink does not look for one while it waits. Index: the primary
-- key.
CREATE OR REPLACE FUNCTION rowvec_internal.take_answer(p_id uuid, OUT answer text, OUT error text)
RETURNS SETOF record LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' AS $$
#variable_conflict use_column
BEGIN
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(rowvec_internal.query_lock(p_id));
  EXCEPTION WHEN lock_not_available THEN
    RETURN;
  END;
  RETURN QUERY DELETE FROM rowvec_internal.query q WHERE q.id = p_id AND (q.answer IS NOT NULL
    OR q.chunks IS NOT NULL OR q.error IS NOT NULL)
    RETURNING coalesce(q.chunks, q.answer::text), q.error;
END $$;
