-- Takes up to 64 waiting texts of these models, oldest first; those that another daemon claimed and left for 2 s as well.
-- Called by the daemon. Locks the rows it takes; skips those that are locked.
CREATE FUNCTION rowvec._claim_queries(p_models smallint[])
RETURNS TABLE (id uuid, model_id smallint, prompt text, query text) LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  UPDATE rowvec.query q SET claimed_at = clock_timestamp()
  WHERE q.id IN (SELECT w.id FROM rowvec.query w
                 WHERE w.answer IS NULL AND w.error IS NULL AND w.model_id = ANY (p_models)
                   AND (w.claimed_at IS NULL OR w.claimed_at < clock_timestamp() - interval '2 s')
                 ORDER BY w.asked_at LIMIT 64 FOR UPDATE SKIP LOCKED)
  RETURNING q.id, q.model_id, q.prompt, q.query
$$;
