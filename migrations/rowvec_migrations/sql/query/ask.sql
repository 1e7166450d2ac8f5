-- Stores a query text for a daemon and rings; run over the loop-back connection, where it commits at once. NOTIFY
-- takes an instance-wide lock at commit, but only texts that the cache does not have come here.
CREATE OR REPLACE FUNCTION rowvec_internal.ask(p_model smallint, p_prompt text, p_query text, p_source smallint)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id uuid;
BEGIN
  INSERT INTO rowvec_internal.query (model_id, prompt, query, source_id) VALUES (p_model, p_prompt, p_query,
    p_source) RETURNING id INTO v_id;
  PERFORM pg_notify('rowvec_query', '');
  RETURN v_id;
END $$;
