-- (Re)makes the functions rowvec_internal.source_N_nearest, which hold the search of a source without a filter by its
-- HNSW index: it is planned once in a session, and begin_search has 2 facts to look up instead of 14, which makes 0.1
-- ms of 0.25. The plan is for any k: without `enable_sort` only the index can give the order. They run with the
-- caller's rights. They name the table when they run, so they do not keep it from being dropped; after a rename
-- search makes its own statement, until the daemon calls this (readers/keep_in_step.sql). Locks: none, unless
-- something has changed.
CREATE OR REPLACE FUNCTION rowvec_internal.prepare_search(p_source smallint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  f          record;
  v          rowvec_internal.prepared_search;
  v_settings text := 'LANGUAGE plpgsql STABLE ROWS 10 SET plan_cache_mode = force_generic_plan'
                     ' SET enable_sort = off SET jit = off';
  v_body     text := E'#variable_conflict use_column\nBEGIN RETURN QUERY SELECT %s, %s; END';
  v_hit      text;
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
    v_hit := format('%s.%I::text', f.alias, f.keys[1]);
    EXECUTE format('CREATE OR REPLACE FUNCTION rowvec_internal.source_%s_nearest(query %s.vector, k integer,'
                   ' OUT hit text, OUT distance float8, OUT chunk integer, OUT passage text)'
                   ' RETURNS SETOF record %s AS %L',
                   p_source, f.schema, v_settings, format(v_body, v_hit, f.prepared));
    v_hit := format('%s.*::%s', f.alias, f.relation);
    EXECUTE format('CREATE OR REPLACE FUNCTION rowvec_internal.source_%s_nearest(query %s.vector, k integer,'
                   ' row_type anyelement, OUT hit anyelement, OUT distance float8, OUT chunk integer, OUT passage text)'
                   ' RETURNS SETOF record %s AS %L',
                   p_source, f.schema, v_settings, format(v_body, v_hit, f.prepared));
    INSERT INTO rowvec_internal.prepared_search SELECT v.* ON CONFLICT (source_id) DO UPDATE
    SET statement = EXCLUDED.statement, relation = EXCLUDED.relation, vectors = EXCLUDED.vectors,
      index = EXCLUDED.index;
  END IF;
END $fn$;
