-- The parts of a row's text, with the literal before each; a part that is NULL drops out with it. The first that is
-- there begins with the first literal instead, and the last literal ends the text. NULL when no part is there.
CREATE OR REPLACE FUNCTION rowvec_internal.join_text(p_literals text[], p_parts text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_text text;
BEGIN
  FOR i IN 1 .. cardinality(p_parts) LOOP
    IF p_parts[i] IS NOT NULL THEN
      v_text := coalesce(v_text || p_literals[i], p_literals[1]) || p_parts[i];
    END IF;
  END LOOP;
  RETURN left(v_text || p_literals[cardinality(p_parts) + 1], 1000000);
END $fn$;
