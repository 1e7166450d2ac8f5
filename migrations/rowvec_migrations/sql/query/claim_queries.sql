-- Claims up to 64 waiting query texts of these models, oldest first, and those that another daemon claimed 2 s ago
-- and did not answer. The advisory lock of each text is kept until release_queries: whoever asked waits for it.
-- plpgsql keeps the plan, which a SQL function makes anew for each call: 0.3 ms. Locks: the rows that it claims, SKIP
-- LOCKED. Called by the daemon.
CREATE OR REPLACE FUNCTION rowvec_internal.claim_queries(p_models smallint[])
RETURNS TABLE (id uuid, model_id smallint, prompt text, query text, source_id smallint) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH claimed AS (
    UPDATE rowvec_internal.query q SET claimed_at = clock_timestamp()
    WHERE q.id IN (SELECT w.id FROM rowvec_internal.query w
                   WHERE w.answer IS NULL AND w.chunks IS NULL AND w.error IS NULL AND w.model_id = ANY (p_models)
                     AND (w.claimed_at IS NULL OR w.claimed_at < clock_timestamp() - interval '2 s')
                   ORDER BY w.asked_at LIMIT 64 FOR UPDATE SKIP LOCKED)
    RETURNING q.id, q.model_id, q.prompt, q.query, q.source_id)
  SELECT c.id, c.model_id, c.prompt, c.query, c.source_id FROM claimed c
    WHERE pg_try_advisory_lock(rowvec_internal.query_lock(c.id)) IS NOT NULL;
END $$;
