-- The k rows nearest to a vector, nearest first. All with the caller's rights: the join with the source makes a deleted row gone at
-- once and lets row-level security hold. Index: HNSW on the vectors, the source's key; where the index gives fewer
-- than k rows (a filter, rows that left), an exact scan follows. The filter is SQL: never build it from a user's words.
CREATE FUNCTION rowvec.search(source text, query vector, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false)
RETURNS TABLE (key text, distance float8) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
DECLARE
  v         record;
  v_cursor  refcursor;
  v_found   bigint;
  v_row     record;
BEGIN
  v := rowvec._begin_search(source, NULL, k, filter, exact);
  IF v.nearest IS NOT NULL AND query IS NOT NULL THEN
    OPEN v_cursor SCROLL FOR EXECUTE v.nearest USING query, k;
    MOVE FORWARD ALL FROM v_cursor;
    GET DIAGNOSTICS v_found = ROW_COUNT;
    IF v_found >= k THEN
      MOVE ABSOLUTE 0 FROM v_cursor;
      LOOP
        FETCH v_cursor INTO v_row;
        EXIT WHEN NOT FOUND OR v_row.distance > max_distance;
        key := v_row.hit;
        distance := v_row.distance;
        RETURN NEXT;
      END LOOP;
    END IF;
    CLOSE v_cursor;
  END IF;
  IF query IS NOT NULL AND (v_found IS NULL OR v_found < k) THEN
    RETURN QUERY EXECUTE rowvec._exact_search(source, NULL, filter) USING query, k, max_distance;
  END IF;
  PERFORM rowvec._end_search(v.settings);
END $fn$;
