-- The policies of a source's vector table, as CREATE POLICY statements for p_vectors: the vector table, or a copy of
-- its columns under the same name to compare with (upgrade/drop_outdated.sql). Locks: none.
-- Reading: whoever may SELECT from the source's table; where that has row-level security, the rows that it shows. The
-- checks of the table are sub-selects, evaluated once a query.
CREATE OR REPLACE FUNCTION rowvec_internal.policy_statements(p_source smallint, p_vectors regclass)
RETURNS TABLE (name text, statement text) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
  SELECT format('rowvec_read_%s', p_source),
         format('CREATE POLICY rowvec_read_%1$s ON %2$s FOR SELECT USING ('
                '(SELECT has_table_privilege(rowvec_internal.table_of(%1$s::smallint), ''SELECT''))'
                ' AND ((SELECT NOT row_security_active(rowvec_internal.table_of(%1$s::smallint)))'
                ' OR rowvec_internal.source_%1$s_visible(%3$I.*)))',
                p_source, p_vectors, (SELECT relname FROM pg_class WHERE oid = p_vectors))
  UNION ALL
  SELECT format('rowvec_write_%s', p_source),
         format('CREATE POLICY rowvec_write_%s ON %s TO %I USING (true) WITH CHECK (true)', p_source, p_vectors,
                (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'rowvec_internal'))
$fn$;
