-- Joins the values of a template's columns with the literals between them: p_literals[i] stands before p_parts[i],
-- and the last literal ends the text. A value that is NULL is left out together with the literal before it; the first
-- value that is there begins with the first literal instead. NULL when every value is NULL. Locks: none. Called by
-- the expressions that text_sql makes.
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
