-- search() by text that returns the rows themselves.
CREATE OR REPLACE FUNCTION rowvec.search(row_type anyelement, query text, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false, source text DEFAULT NULL, per_row boolean DEFAULT true)
RETURNS TABLE (hit anyelement, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(row_type, rowvec.embed(query, (rowvec_internal.search_facts(source, pg_catalog.pg_typeof(row_type)::oid)).name), k, filter, max_distance, exact, source, per_row);
END $fn$;
