-- Chooses between the index and an exact scan, and sets what the index scan needs; returns the statement for the index
-- (NULL: exact), the attempts (how many times as many chunks each asks for) and what the settings were. Locks: none.
--
-- How far the index scan goes: for each row asked for 5 candidates; with a filter 10, divided by the share that
-- passes it. Of 100,000 rows of 384 dims, recall@10 with a filter of 10 % was 0.944, 0.980, 0.989 and 0.991 with 2,
-- 4, 6 and 8 candidates, in 4.4, 8.6, 12.4 and 16.0 ms; recall@200 without a filter 0.946 and 0.990 with 2 and 5, in
-- 12 and 26 ms. ef_search is 1,000 at most; the iterative scan brings what is beyond, in equal steps. LIMIT asks for
-- half of the last step, so that one more step is rare.
-- What it costs, in microseconds, measured there: the index brings a candidate in 22; an exact scan fetches a row and
-- its vector in 3.3 when all is cached, 4 is used; a unit of the planner's cost is 1. With a filter of 5 % the exact
-- scan is faster: 14 ms against 31. Beyond hnsw.max_scan_tuples (20,000) the index scan ends early, so the exact one
-- is used. Among chunks it looks at as many times more as a row has chunks, 8 times at most, and at a second attempt
-- at 8 times that.
CREATE OR REPLACE FUNCTION rowvec_internal.begin_search(
  p_source text, p_row_type oid, p_k integer, p_filter text, p_exact boolean, p_per_row boolean DEFAULT true,
  OUT nearest text, OUT attempts integer[], OUT settings text[]
) LANGUAGE plpgsql VOLATILE AS $fn$
#variable_conflict use_column
DECLARE
  f        record;
  v_hits   float8;
  v_chunks float8;
  v_visits float8;
  v_steps  float8;
  v_wider  float8;
  v_guess  record;
  v_simple boolean;
  v_prepared boolean;
  v_order  text;
  v_set    text;   -- an assignment is evaluated directly, where PERFORM would run a query
BEGIN
  IF p_k IS NULL OR p_k < 1 THEN
    RAISE EXCEPTION 'k is %, but at least one row must be asked for', coalesce(p_k::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF p_source IS NULL THEN
    p_source := rowvec_internal.source_of(p_row_type);
  END IF;
  settings := ARRAY[pg_catalog.current_setting('jit', true), pg_catalog.current_setting('hnsw.ef_search', true),
                    pg_catalog.current_setting('hnsw.iterative_scan', true)];
  attempts := '{1}';

  -- What is asked for most, decided as below, with fewer facts.
  IF p_filter IS NULL AND p_exact IS NOT TRUE AND settings[2] IS NOT NULL THEN
    f := rowvec_internal.ready(p_source, p_row_type);
    v_visits := greatest(100, 5 * p_k, settings[2]::float8);
    IF f.id IS NOT NULL AND v_visits <= 1000 AND 4 * f.vectors_rows >= 22 * v_visits
      AND pg_catalog.has_table_privilege(f.source_table, 'SELECT')
      AND NOT pg_catalog.row_security_active(f.source_table)
    THEN
      v_set := pg_catalog.set_config('jit', 'off', true);
      v_set := pg_catalog.set_config('hnsw.ef_search', v_visits::text, true);
      IF settings[3] IS NOT NULL THEN
        v_set := pg_catalog.set_config('hnsw.iterative_scan', 'strict_order', true);
      END IF;
      nearest := pg_catalog.format('SELECT * FROM rowvec_internal.source_%s_nearest($1, $2%s)', f.id,
                                   CASE WHEN p_row_type IS NOT NULL THEN ', NULL::' || f.relation END);
      RETURN;
    END IF;
  END IF;
  f := rowvec_internal.search_facts(p_source, p_row_type);
  IF NOT pg_catalog.has_table_privilege(f.source_table, 'SELECT') THEN   -- else it would seem to have no vectors
    RAISE EXCEPTION 'permission denied for table %', f.relation USING ERRCODE = 'insufficient_privilege',
      HINT = 'Searching takes SELECT on the whole table.';
  END IF;
  IF settings[2] IS NULL THEN   -- pgvector's library, and with it its settings, comes with first use
    EXECUTE pg_catalog.format('SELECT %L::%s.vector', '[1]', f.schema);
    settings[2:3] := ARRAY[pg_catalog.current_setting('hnsw.ef_search', true),
      pg_catalog.current_setting('hnsw.iterative_scan', true)];
  END IF;
  p_exact := coalesce(p_exact, false) OR f.kind IS NULL;
  IF NOT p_exact THEN
    v_simple := p_filter IS NULL AND NOT pg_catalog.row_security_active(f.source_table);
    v_chunks := CASE WHEN p_per_row THEN least(8, coalesce(f.chunks, 1)) ELSE 1 END;
    -- An index of single bits ranks coarsely: four times as many.
    v_hits := v_chunks * CASE WHEN v_simple THEN 5 ELSE 10 END * CASE f.kind WHEN 'bit' THEN 4 ELSE 1 END;
    v_visits := greatest(100, v_hits * p_k, settings[2]::float8);
    IF v_simple THEN
      p_exact := f.vectors_rows > 0 AND 4 * f.vectors_rows < 22 * v_visits;
    ELSE
      v_guess := rowvec_internal.estimate(f.relation, f.alias, p_filter);
      v_guess.rows := v_guess.rows * coalesce(f.chunks, 1);
      v_visits := greatest(v_visits, v_hits * p_k * f.vectors_rows / greatest(v_guess.rows, 1));
      p_exact := v_guess.cost + 4 * v_guess.rows < 22 * v_visits;
    END IF;
    p_exact := p_exact OR v_visits > 20000;
  END IF;
  attempts := '{}';
  v_set := pg_catalog.set_config('jit', 'off', true);   -- compiling costs more than any of these statements
  IF NOT p_exact THEN
    v_steps := ceil(v_visits / 1000);
    v_simple := v_simple AND v_steps = 1;
    v_prepared := v_simple AND f.kind = 'vector' AND f.prepared IS NOT NULL;
    v_set := pg_catalog.set_config('hnsw.ef_search', ceil(v_visits / v_steps)::text, true);
    IF settings[3] IS NOT NULL THEN   -- pgvector 0.8 and newer; where it is older, the exact scan fills up
      v_order := CASE WHEN v_prepared THEN 'strict_order' ELSE 'relaxed_order' END;
      v_set := pg_catalog.set_config('hnsw.iterative_scan', v_order, true);
    END IF;
    v_wider := CASE WHEN v_simple THEN v_chunks ELSE v_hits * (1 - 0.5 / v_steps) END;
    nearest := rowvec_internal.search_sql(f, p_row_type IS NOT NULL, p_filter, false, v_wider, p_per_row);
    attempts := CASE WHEN v_chunks > 1 THEN '{1,8}' ELSE '{1}' END;
  END IF;
END $fn$;
