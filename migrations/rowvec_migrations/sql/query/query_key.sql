-- The cache's key of a text: model identity (fingerprint and precision), prompt and text, hashed.
CREATE OR REPLACE FUNCTION rowvec_internal.query_key(p_fingerprint text, p_precision text, p_prompt text,
  p_query text) RETURNS bytea LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256(convert_to(jsonb_build_array(p_fingerprint, p_precision, p_prompt, p_query)::text, 'UTF8'))
$$;
