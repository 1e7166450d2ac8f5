-- A column's value as it goes into a row's text: NULL when it is NULL or blank. Nearly every value passes the first
-- test; the second matches the whole text, which costs 7 ms for a megabyte. A value is read up to a million
-- characters: far beyond any model's limit, and a bound for a row that holds a gigabyte. Inlined into the statement
-- that reads the text; hence no search_path of its own, but qualified names. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.text_part(p_value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_catalog.left(p_value, 100) OPERATOR(pg_catalog.~) '\S' OR p_value OPERATOR(pg_catalog.~) '\S'
              THEN pg_catalog.left(p_value, 1000000) END
$$;
