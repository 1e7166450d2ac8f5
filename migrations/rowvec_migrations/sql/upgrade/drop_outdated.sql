-- Drops the triggers and policies of a source that differ from what this version would make, and those that it would
-- not make at all; returns how its triggers were enabled, where that was not as usual. The wanted ones are made on
-- empty copies of both tables, so that PostgreSQL itself writes both definitions in the same way. Locks: ACCESS SHARE
-- on both tables; ACCESS EXCLUSIVE on one where something differs. Called by remake_source.
CREATE OR REPLACE FUNCTION rowvec_internal.drop_outdated(p_source smallint) RETURNS text[] LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s          rowvec_internal.source;
  v_copy     text := format('rowvec_internal.source_%s_copy', p_source);
  v_vectors  text;
  v_made     record;
  v_enabled  text[] := '{}';
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  EXECUTE format('CREATE TABLE %s (LIKE %s)', v_copy, s.source_table);
  PERFORM set_config('search_path', rowvec_internal.key_path(s.source_table, s.key_columns), true);
  FOR v_made IN SELECT w.statement FROM rowvec_internal.trigger_statements(p_source, v_copy::regclass) w LOOP
    EXECUTE v_made.statement;
  END LOOP;
  PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
  FOR v_made IN
    SELECT t.tgname AS name, t.tgenabled AS enabled
    FROM pg_trigger t LEFT JOIN pg_trigger w ON w.tgrelid = v_copy::regclass AND w.tgname = t.tgname
    WHERE t.tgrelid = s.source_table AND starts_with(t.tgname, format('rowvec_%s_', p_source))
      AND NOT t.tgisinternal AND t.tgparentid = 0
      AND replace(pg_get_triggerdef(t.oid), format(' ON %s ', s.source_table), format(' ON %s ', v_copy))
          IS DISTINCT FROM pg_get_triggerdef(w.oid)
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', v_made.name, s.source_table);
    IF v_made.enabled <> 'O' THEN
      v_enabled := v_enabled || format('ALTER TABLE %s %s TRIGGER %I', s.source_table, CASE v_made.enabled
        WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, v_made.name);
    END IF;
  END LOOP;
  EXECUTE format('DROP TABLE %s', v_copy);
  IF s.into_column IS NOT NULL THEN
    RETURN v_enabled;
  END IF;

  v_vectors := format('rowvec_internal.%I', (SELECT relname FROM pg_class WHERE oid = s.vector_table));
  EXECUTE format('CREATE TABLE %s (LIKE %s)', v_vectors, s.vector_table);
  FOR v_made IN SELECT w.statement FROM rowvec_internal.policy_statements(p_source, v_vectors::regclass) w LOOP
    EXECUTE v_made.statement;
  END LOOP;
  IF (SELECT array_agg(row(p.polname, p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid),
                           pg_get_expr(p.polwithcheck, p.polrelid))::text ORDER BY p.polname)
      FROM pg_policy p WHERE p.polrelid = s.vector_table AND p.polname ~ '^rowvec_(read|write)_\d+$')
     IS DISTINCT FROM
     (SELECT array_agg(row(p.polname, p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid),
                           pg_get_expr(p.polwithcheck, p.polrelid))::text ORDER BY p.polname)
      FROM pg_policy p WHERE p.polrelid = v_vectors::regclass) THEN
    PERFORM rowvec_internal.ungrant_vectors(s.vector_table);
  END IF;
  EXECUTE format('DROP TABLE %s', v_vectors);
  RETURN v_enabled;
END $fn$;
