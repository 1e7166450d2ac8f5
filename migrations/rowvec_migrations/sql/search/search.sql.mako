## search() four times: by vector and by text, each giving keys or the rows themselves.
##
## The two by vector are whole functions both: one set-returning function more between the caller and the statement took
## 0.08 ms, 2 % of a search.
<%
options = """k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL,
  exact boolean DEFAULT false"""
%>
% for rows in (False, True):
<%
of = "row_type anyelement" if rows else "source text"
last = "source text DEFAULT NULL, per_row boolean DEFAULT true" if rows else "per_row boolean DEFAULT true"
found, type_ = ("hit", "anyelement") if rows else ("key", "text")
row_type = "pg_catalog.pg_typeof(row_type)::oid" if rows else "NULL"
%>
-- The k rows nearest to a vector, nearest first. All with the caller's rights: the join with the source hides a deleted
-- row at once and lets row-level security hold. Index: HNSW on the vectors, the source's key; where the index gives
-- fewer than k rows (a filter, rows that left), an exact scan follows. Of a source with chunks, the best chunk of each
-- row, or, with per_row => false, all of them: `chunk` is its number, `passage` its text. The filter is SQL: never
-- build it from a user's words. Locks: none.
CREATE OR REPLACE FUNCTION rowvec.search(${of}, query vector, ${options}, ${last})
RETURNS TABLE (${found} ${type_}, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
DECLARE
  v         record;
  v_more    integer;
  v_cursor  refcursor;
  v_found   bigint;
  v_row     record;
BEGIN
  v := rowvec_internal.begin_search(source, ${row_type}, k, filter, exact, per_row);
  IF query IS NOT NULL THEN
    FOREACH v_more IN ARRAY v.attempts LOOP
      OPEN v_cursor SCROLL FOR EXECUTE v.nearest USING query, k, NULL::float8, v_more;
      MOVE FORWARD ALL FROM v_cursor;
      GET DIAGNOSTICS v_found = ROW_COUNT;
      IF v_found >= k THEN
        MOVE ABSOLUTE 0 FROM v_cursor;
        LOOP
          FETCH v_cursor INTO v_row;
          EXIT WHEN NOT FOUND OR v_row.distance > max_distance;
          ${found} := v_row.hit;
          distance := v_row.distance;
          chunk := v_row.chunk;
          passage := v_row.passage;
          RETURN NEXT;
        END LOOP;
      END IF;
      CLOSE v_cursor;
      EXIT WHEN v_found >= k;
    END LOOP;
    IF v_found IS NULL OR v_found < k THEN
      RETURN QUERY EXECUTE rowvec_internal.exact_search(source, ${row_type}, filter, per_row)
        USING query, k, max_distance;
    END IF;
  END IF;
  v.settings[1] := rowvec_internal.end_search(v.settings);
END $fn$;
% endfor
% for rows in (False, True):
<%
of = "row_type anyelement" if rows else "source text"
last = "source text DEFAULT NULL, per_row boolean DEFAULT true" if rows else "per_row boolean DEFAULT true"
found, type_ = ("hit", "anyelement") if rows else ("key", "text")
name = "(rowvec_internal.search_facts(source, pg_catalog.pg_typeof(row_type)::oid)).name" if rows else "source"
arguments = ("row_type", "source, per_row") if rows else ("source", "per_row")
%>
-- The same by text: it becomes a vector with the query prompt of the source's model.
CREATE OR REPLACE FUNCTION rowvec.search(${of}, query text, ${options}, ${last})
RETURNS TABLE (${found} ${type_}, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(
    ${arguments[0]}, rowvec.embed(query, ${name}), k, filter, max_distance, exact, ${arguments[1]});
END $fn$;
% endfor
