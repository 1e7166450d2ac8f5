-- (Re)makes the trigger functions of a source, and its triggers where they are missing; see trigger_statements.
-- Locks: SHARE ROW EXCLUSIVE on the source's table when a trigger is made; none when only functions are replaced.
CREATE OR REPLACE FUNCTION rowvec_internal.install_triggers(p_source smallint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s         rowvec_internal.source;
  v_trigger record;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  PERFORM rowvec_internal.make_functions(p_source);
  PERFORM set_config('search_path', rowvec_internal.key_path(s.source_table, s.key_columns), true);
  FOR v_trigger IN
    SELECT w.statement FROM rowvec_internal.trigger_statements(p_source, s.source_table) w
    WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = s.source_table AND t.tgname = w.name)
  LOOP
    EXECUTE v_trigger.statement;
  END LOOP;
END $fn$;
