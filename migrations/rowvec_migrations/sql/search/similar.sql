-- More like this row: the rows nearest to the vector of the row with this key (its text form), without the row itself.
-- No rows where it has no vector. The rest is as in search().
CREATE OR REPLACE FUNCTION rowvec.similar(source text, row_key text, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false, per_row boolean DEFAULT true)
RETURNS TABLE (key text, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
DECLARE
  v_own record := rowvec_internal.own_vector(source, NULL, row_key, filter);
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(source, v_own.vector, k, v_own.others, max_distance, exact, per_row);
END $fn$;
