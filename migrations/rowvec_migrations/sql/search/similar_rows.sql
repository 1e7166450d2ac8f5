-- similar() that returns the rows themselves: similar(NULL::documents, '42').
CREATE OR REPLACE FUNCTION rowvec.similar(row_type anyelement, row_key text, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false, source text DEFAULT NULL, per_row boolean DEFAULT true)
RETURNS TABLE (hit anyelement, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
DECLARE
  v_own record := rowvec_internal.own_vector(source, pg_catalog.pg_typeof(row_type)::oid, row_key, filter);
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(row_type, v_own.vector, k, v_own.others, max_distance, exact, source, per_row);
END $fn$;
