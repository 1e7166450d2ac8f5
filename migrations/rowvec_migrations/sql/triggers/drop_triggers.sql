-- Takes a source's triggers off its table, if table and triggers are still there. Locks: ACCESS EXCLUSIVE, briefly.
CREATE OR REPLACE FUNCTION rowvec_internal.drop_triggers(p_source smallint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_trigger record;
BEGIN
  FOR v_trigger IN
    SELECT t.tgname, t.tgrelid::regclass AS on_table
    FROM pg_catalog.pg_trigger t JOIN rowvec_internal.source s ON s.source_table = t.tgrelid
    WHERE s.id = p_source AND t.tgname LIKE format('rowvec\_%s\_%%', p_source) AND NOT t.tgisinternal
      AND t.tgparentid = 0
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', v_trigger.tgname, v_trigger.on_table);
  END LOOP;
END $$;
