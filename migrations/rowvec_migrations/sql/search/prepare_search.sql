-- (Re)makes the functions rowvec.source_N_nearest, which hold the search of a source without a filter by its HNSW index, so that it is
-- planned once in a session, and _begin_search has 2 facts to look up instead of 14: it takes 0.1 ms instead of 0.25. The plan is for any k: without
-- `enable_sort` only the index can give the order. With the caller's rights. They name the table late, so they are in nobody's
-- way; from a rename on, search makes its own statement, until the daemon calls this.
-- Locks: none, unless something has changed.
CREATE OR REPLACE FUNCTION rowvec_internal.prepare_search(p_source smallint) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  f   record;
  v   rowvec_internal.prepared_search;
BEGIN
  BEGIN
    SELECT x.* INTO f FROM rowvec_internal.source s, rowvec_internal.search_facts(s.name, NULL) x WHERE s.id = p_source;
    v := (p_source, f.prepared, f.relation, f.vectors, f.index);
  EXCEPTION WHEN OTHERS THEN
    NULL;   -- a broken source: nothing to search, and rowvec.status says why
  END;
  IF v.index IS NULL OR v.statement IS NULL OR f.kind <> 'vector' THEN
    DELETE FROM rowvec_internal.prepared_search WHERE source_id = p_source;
  ELSIF NOT EXISTS (SELECT FROM rowvec_internal.prepared_search p WHERE p = v) THEN
    EXECUTE format($q$
      CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_nearest(query %2$s.vector, k integer, OUT hit text, OUT distance float8, OUT chunk integer, OUT passage text) RETURNS SETOF record
      LANGUAGE plpgsql STABLE ROWS 10 SET plan_cache_mode = force_generic_plan SET enable_sort = off SET jit = off AS %3$L;
      CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_nearest(query %2$s.vector, k integer, row_type anyelement, OUT hit anyelement, OUT distance float8, OUT chunk integer, OUT passage text) RETURNS SETOF record
      LANGUAGE plpgsql STABLE ROWS 10 SET plan_cache_mode = force_generic_plan SET enable_sort = off SET jit = off AS %4$L;
    $q$, p_source, f.schema, format(E'#variable_conflict use_column\nBEGIN RETURN QUERY SELECT %s.%I::text, %s; END', f.alias, f.keys[1], f.prepared),
         format(E'#variable_conflict use_column\nBEGIN RETURN QUERY SELECT %s.*::%s, %s; END', f.alias, f.relation, f.prepared));
    INSERT INTO rowvec_internal.prepared_search SELECT v.* ON CONFLICT (source_id) DO UPDATE
    SET statement = EXCLUDED.statement, relation = EXCLUDED.relation, vectors = EXCLUDED.vectors, index = EXCLUDED.index;
  END IF;
END $fn$;
