-- JSON as a person would write it: "colour: red", one line a key, lists with commas, nested objects in parentheses;
-- null is left out. Locks: none. Called by json_text.
CREATE OR REPLACE FUNCTION rowvec_internal.json_words(p_value jsonb, p_depth integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
  CASE jsonb_typeof(p_value)
    WHEN 'object' THEN
      RETURN (SELECT CASE WHEN p_depth = 0 THEN string_agg(key || ': ' || words, E'\n' ORDER BY i) ELSE '(' ||
        string_agg(key || ': ' || words, ', ' ORDER BY i) || ')' END
              FROM jsonb_each(p_value) WITH ORDINALITY e(key, value, i), rowvec_internal.json_words(value,
                p_depth + 1) words);
    WHEN 'array' THEN
      RETURN (SELECT string_agg(words, ', ' ORDER BY i) FROM jsonb_array_elements(p_value) WITH ORDINALITY e(value,
        i), rowvec_internal.json_words(value, p_depth + 1) words);
    WHEN 'boolean' THEN RETURN CASE WHEN p_value = 'true'::jsonb THEN 'yes' ELSE 'no' END;
    ELSE RETURN p_value #>> '{}';
  END CASE;
END $fn$;
