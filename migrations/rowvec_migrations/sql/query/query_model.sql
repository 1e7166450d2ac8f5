-- The model that a query text is meant for: the source's, else the named one, else the default one.
CREATE OR REPLACE FUNCTION rowvec_internal.query_model(p_source text, p_model text) RETURNS rowvec_internal.model
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_model rowvec_internal.model;
BEGIN
  IF p_source IS NOT NULL THEN
    SELECT m.* INTO v_model FROM rowvec_internal.source s JOIN rowvec_internal.model m ON m.id = s.model_id
      WHERE s.name = p_source;
    IF NOT FOUND THEN
      PERFORM rowvec_internal.source_id(p_source);
    END IF;
  ELSE
    SELECT m.* INTO v_model FROM rowvec_internal.model m WHERE CASE WHEN p_model IS NULL THEN m.is_default
      ELSE m.name = p_model END;
    IF NOT FOUND THEN
      RAISE EXCEPTION '%', coalesce(format('there is no model "%s"', p_model), 'there is no default model')
        USING ERRCODE = 'undefined_object',
        HINT = coalesce('Models: ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM rowvec_internal.model) || '.',
                        'Add one: `rowvec export all-MiniLM-L6-v2 --out DIR`, then `rowvec model add DIR --default`.');
    END IF;
  END IF;
  RETURN v_model;
END $$;
