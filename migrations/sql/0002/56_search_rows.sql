-- search() that returns the rows themselves: search(NULL::documents, …). Else as above.
CREATE FUNCTION rowvec.search(row_type anyelement, query vector, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false, source text DEFAULT NULL)
RETURNS TABLE (hit anyelement, distance float8) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
DECLARE
  v         record;
  v_cursor  refcursor;
  v_found   bigint;
  v_row     record;
BEGIN
  v := rowvec._begin_search(source, pg_catalog.pg_typeof(row_type)::oid, k, filter, exact);
  IF v.nearest IS NOT NULL AND query IS NOT NULL THEN
    OPEN v_cursor SCROLL FOR EXECUTE v.nearest USING query, k;
    MOVE FORWARD ALL FROM v_cursor;
    GET DIAGNOSTICS v_found = ROW_COUNT;
    IF v_found >= k THEN
      MOVE ABSOLUTE 0 FROM v_cursor;
      LOOP
        FETCH v_cursor INTO v_row;
        EXIT WHEN NOT FOUND OR v_row.distance > max_distance;
        hit := v_row.hit;
        distance := v_row.distance;
        RETURN NEXT;
      END LOOP;
    END IF;
    CLOSE v_cursor;
  END IF;
  IF query IS NOT NULL AND (v_found IS NULL OR v_found < k) THEN
    RETURN QUERY EXECUTE rowvec._exact_search(source, pg_catalog.pg_typeof(row_type)::oid, filter) USING query, k, max_distance;
  END IF;
  PERFORM rowvec._end_search(v.settings);
END $fn$;
