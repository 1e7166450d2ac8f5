-- search() by text: the text becomes a vector with the query prompt of the source's model.
CREATE OR REPLACE FUNCTION rowvec.search(source text, query text, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false, per_row boolean DEFAULT true)
RETURNS TABLE (key text, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(source, rowvec.embed(query, source), k, filter, max_distance, exact, per_row);
END $fn$;
