-- A column's value as a part of a row's text: NULL when there is nothing to read. The first test is enough for nearly
-- every value: the pattern is matched against the whole text otherwise, which costs 7 ms for a megabyte. A value is
-- read up to a million characters: far beyond any model's limit, and a stop for a row that holds a gigabyte.
CREATE OR REPLACE FUNCTION rowvec_internal.text_part(p_value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_catalog.left(p_value, 100) OPERATOR(pg_catalog.~) '\S' OR p_value OPERATOR(pg_catalog.~) '\S'
              THEN pg_catalog.left(p_value, 1000000) END
$$;
