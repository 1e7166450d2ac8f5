## similar() twice: giving keys, or the rows themselves.
% for rows in (False, True):
<%
of = "row_type anyelement" if rows else "source text"
last = "source text DEFAULT NULL, per_row boolean DEFAULT true" if rows else "per_row boolean DEFAULT true"
found = "hit anyelement" if rows else "key text"
row_type = "pg_catalog.pg_typeof(row_type)::oid" if rows else "NULL"
arguments = ("row_type", "source, per_row") if rows else ("source", "per_row")
%>
-- More like this row: the rows nearest to the vector of the row with this key (its text form), without the row itself.
-- No rows where it has no vector. The rest is as in search().
CREATE OR REPLACE FUNCTION rowvec.similar(${of}, row_key text, k integer DEFAULT 10,
  filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false, ${last})
RETURNS TABLE (${found}, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
DECLARE
  v_own record := rowvec_internal.own_vector(source, ${row_type}, row_key, filter);
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(
    ${arguments[0]}, v_own.vector, k, v_own.others, max_distance, exact, ${arguments[1]});
END $fn$;
% endfor
