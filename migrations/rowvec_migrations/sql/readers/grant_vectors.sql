-- Who may read a source's vectors: whoever may read its table, and where the table has row-level security, of its rows
-- only. In column mode they are columns of it, and nothing is to be granted. As a policy, so that a GRANT or REVOKE on the table counts at once and search needs nobody else's rights.
-- The checks of the table are sub-selects: evaluated once a query. The check of a row is a function that names the
-- table late: a policy that depends on the user's table would make its DROP TABLE and ALTER TYPE fail.
-- Locks: ACCESS EXCLUSIVE on the vector table, briefly, unless everything is there already.
CREATE OR REPLACE FUNCTION rowvec_internal.grant_vectors(p_source smallint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s         rowvec_internal.source;
  v_body    text;
  v_visible text := format('rowvec_internal.source_%s_visible', p_source);
BEGIN
  SELECT * INTO s FROM rowvec_internal.source WHERE id = p_source;
  IF NOT FOUND OR s.into_column IS NOT NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.vector_table) OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.source_table) THEN
    RETURN;
  END IF;
  v_body := format(' BEGIN RETURN EXISTS (SELECT FROM %s s WHERE %s); END ', s.source_table,
                   (SELECT string_agg(format('s.%1$I = v.%1$I', k), ' AND ') FROM unnest(s.key_columns) k));
  IF NOT EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure(v_visible || '(record)') AND prosrc = v_body) THEN
    EXECUTE format('CREATE OR REPLACE FUNCTION %s(v record) RETURNS boolean LANGUAGE plpgsql STABLE COST 1000 AS %L', v_visible, v_body);
  END IF;
  IF EXISTS (SELECT FROM pg_policy WHERE polrelid = s.vector_table AND polname = format('rowvec_read_%s', p_source)) THEN
    RETURN;
  END IF;
  PERFORM rowvec_internal.ungrant_vectors(s.vector_table);
  EXECUTE format('CREATE POLICY rowvec_read_%1$s ON %2$s FOR SELECT USING ((SELECT has_table_privilege(rowvec_internal.table_of(%1$s::smallint), ''SELECT'')) AND ((SELECT NOT row_security_active(rowvec_internal.table_of(%1$s::smallint))) OR %3$s(%4$s.*)))',
                 p_source, s.vector_table, v_visible, (SELECT quote_ident(relname) FROM pg_class WHERE oid = s.vector_table));
  EXECUTE format('CREATE POLICY rowvec_write_%s ON %s TO %I USING (true) WITH CHECK (true)', p_source, s.vector_table,
                 (SELECT r.rolname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'rowvec_internal'));
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', s.vector_table);
  EXECUTE format('GRANT SELECT ON %s TO PUBLIC', s.vector_table);
END $fn$;
