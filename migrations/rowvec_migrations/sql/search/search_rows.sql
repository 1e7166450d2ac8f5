-- search() that returns the rows themselves: search(NULL::documents, …). Else as above, and written twice for speed: one set-returning
-- function more between the caller and the statement took 0.08 ms, 2 % of a search.
CREATE OR REPLACE FUNCTION rowvec.search(row_type anyelement, query vector, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false, source text DEFAULT NULL, per_row boolean DEFAULT true)
RETURNS TABLE (hit anyelement, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
DECLARE
  v         record;
  v_more    integer;
  v_cursor  refcursor;
  v_found   bigint;
  v_row     record;
BEGIN
  v := rowvec_internal.begin_search(source, pg_catalog.pg_typeof(row_type)::oid, k, filter, exact, per_row);
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
          hit := v_row.hit;
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
      RETURN QUERY EXECUTE rowvec_internal.exact_search(source, pg_catalog.pg_typeof(row_type)::oid, filter, per_row) USING query, k, max_distance;
    END IF;
  END IF;
  v.settings[1] := rowvec_internal.end_search(v.settings);
END $fn$;
