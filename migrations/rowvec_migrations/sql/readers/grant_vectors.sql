-- Who may read a source's vectors: whoever may read its table, and where the table has row-level security, the
-- vectors of its rows only. In column mode they are columns of the table, and nothing is to be granted. As policies,
-- so that a GRANT or REVOKE on the table counts at once and search needs nobody else's rights. The check of a row is
-- a function that looks the table up when it runs: a policy that depended on the user's table would make its DROP
-- TABLE and ALTER TYPE fail. Locks: ACCESS EXCLUSIVE on the vector table, briefly, unless everything is there
-- already.
CREATE OR REPLACE FUNCTION rowvec_internal.grant_vectors(p_source smallint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s           rowvec_internal.source;
  v_same_keys text;
  v_body      text;
  v_path      text;
  v_visible   text := format('rowvec_internal.source_%s_visible', p_source);
  v_policy    record;
BEGIN
  SELECT * INTO s FROM rowvec_internal.source WHERE id = p_source;
  IF NOT FOUND OR s.into_column IS NOT NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.vector_table)
     OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.source_table) THEN
    RETURN;
  END IF;
  v_same_keys := (SELECT string_agg(format('s.%1$I = v.%1$I', k), ' AND ') FROM unnest(s.key_columns) k);
  v_body := format(' BEGIN RETURN EXISTS (SELECT FROM %s s WHERE %s); END ', s.source_table, v_same_keys);
  v_path := rowvec_internal.key_path(s.source_table, s.key_columns);
  IF NOT EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure(v_visible || '(record)') AND prosrc = v_body
                 AND proconfig = ARRAY['search_path=' || v_path]) THEN
    EXECUTE format('CREATE OR REPLACE FUNCTION %s(v record) RETURNS boolean LANGUAGE plpgsql STABLE COST 1000'
                   ' SET search_path = %s AS %L', v_visible, v_path, v_body);
  END IF;
  IF EXISTS (SELECT FROM pg_policy WHERE polrelid = s.vector_table AND polname = format('rowvec_read_%s', p_source))
    THEN
    RETURN;
  END IF;
  PERFORM rowvec_internal.ungrant_vectors(s.vector_table);
  FOR v_policy IN SELECT w.statement FROM rowvec_internal.policy_statements(p_source, s.vector_table) w LOOP
    EXECUTE v_policy.statement;
  END LOOP;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', s.vector_table);
  EXECUTE format('GRANT SELECT ON %s TO PUBLIC', s.vector_table);
END $fn$;
