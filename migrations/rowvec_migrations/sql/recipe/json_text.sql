-- The words of a json or jsonb value. What jsonb refuses (\u0000, nested too deep) is given back unchanged: a row's
-- text never raises an error. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.json_text(p_json text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
  RETURN rowvec_internal.json_words(p_json::jsonb, 0);
EXCEPTION WHEN OTHERS THEN
  RETURN p_json;
END $fn$;
