-- The k rows nearest to a vector, nearest first. All with the caller's rights: the join with the source makes a deleted row gone at
-- once and lets row-level security hold. Index: HNSW on the vectors, the source's key; where the index gives fewer
-- than k rows (a filter, rows that left), an exact scan follows. Of a source with chunks, the best chunk of each row, or, with
-- per_row => false, all of them: `chunk` is its number, `passage` its text. The filter is SQL: never build it from a user's words.
CREATE OR REPLACE FUNCTION rowvec.search(source text, query vector, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, exact boolean DEFAULT false, per_row boolean DEFAULT true)
RETURNS TABLE (key text, distance float8, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
DECLARE
  v         record;
  v_more    integer;
  v_cursor  refcursor;
  v_found   bigint;
  v_row     record;
BEGIN
  v := rowvec_internal.begin_search(source, NULL, k, filter, exact, per_row);
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
          key := v_row.hit;
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
      RETURN QUERY EXECUTE rowvec_internal.exact_search(source, NULL, filter, per_row) USING query, k, max_distance;
    END IF;
  END IF;
  v.settings[1] := rowvec_internal.end_search(v.settings);
END $fn$;
