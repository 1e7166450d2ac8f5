-- Chooses between the index and an exact scan, sets what the index scan needs; returns the statement for the index (NULL:
-- exact) and what the settings were. ef_search is four times what must be visited to find k rows that pass the filter:
-- pgvector's 40 gives too few rows, and going on from there by iterative scan found 90 % of the right ones at 5 %.
-- The numbers are microseconds, measured on 100,000 rows of 384 dims: the index visits a tuple in 37, an exact scan
-- fetches a row and its vector in 11, a unit of the planner's cost is 1. Beyond hnsw.max_scan_tuples (20,000) the index
-- scan ends early, so there it is always the exact one.
CREATE FUNCTION rowvec._begin_search(p_source text, p_row_type oid, p_k integer, p_filter text, p_exact boolean,
  OUT nearest text, OUT settings text[]) LANGUAGE plpgsql VOLATILE AS $fn$
#variable_conflict use_column
DECLARE
  f        record;
  v_ef     integer;
  v_visits float8;
  v_guess  record;
BEGIN
  IF p_k IS NULL OR p_k < 1 THEN
    RAISE EXCEPTION 'k is %, but at least one row must be asked for', coalesce(p_k::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  f := rowvec._search_facts(p_source, p_row_type);
  IF NOT pg_catalog.has_table_privilege(f.source_table, 'SELECT') THEN   -- else its vectors would just seem empty
    RAISE EXCEPTION 'permission denied for table %', f.relation USING ERRCODE = 'insufficient_privilege', HINT = 'Searching takes SELECT on the whole table.';
  END IF;
  IF pg_catalog.current_setting('hnsw.ef_search', true) IS NULL THEN   -- pgvector's library, and with it its settings, comes with first use
    EXECUTE pg_catalog.format('SELECT %L::%s.vector', '[1]', f.schema);
  END IF;
  settings := ARRAY[pg_catalog.current_setting('jit', true), pg_catalog.current_setting('hnsw.ef_search', true), pg_catalog.current_setting('hnsw.iterative_scan', true)];
  v_ef := least(1000, greatest(100, 2 * p_k * CASE f.kind WHEN 'halfvec' THEN 2 WHEN 'bit' THEN 10 ELSE 1 END, settings[2]::integer));
  p_exact := coalesce(p_exact, false) OR f.kind IS NULL OR p_k > 5000;
  IF NOT p_exact AND (p_filter IS NOT NULL OR pg_catalog.row_security_active(f.source_table)) THEN
    v_guess := rowvec._estimate(f.relation, f.alias, p_filter);
    v_visits := greatest(v_ef, 4 * p_k * f.vectors_rows / greatest(v_guess.rows, 1));
    v_ef := least(1000, v_visits);
    p_exact := v_visits > 20000 OR v_guess.cost + 11 * v_guess.rows < 37 * v_visits;
  END IF;
  PERFORM pg_catalog.set_config('jit', 'off', true);   -- compiling costs more than any of these statements
  IF NOT p_exact THEN
    PERFORM pg_catalog.set_config('hnsw.ef_search', v_ef::text, true);
    IF settings[3] IS NOT NULL THEN   -- pgvector 0.8 and newer; where it is older, the exact scan fills up
      PERFORM pg_catalog.set_config('hnsw.iterative_scan', CASE WHEN p_filter IS NULL AND f.kind = 'vector' AND pg_catalog.cardinality(f.keys) = 1 THEN 'strict_order' ELSE 'relaxed_order' END, true);
    END IF;
    nearest := rowvec._search_sql(f, p_row_type IS NOT NULL, p_filter, false);
  END IF;
END $fn$;
