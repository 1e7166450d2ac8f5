-- Takes the triggers off, so that ALTER … TYPE and DROP COLUMN of watched columns pass; search goes on with what is
-- there. Locks: ACCESS EXCLUSIVE on the source's table, briefly.
CREATE OR REPLACE FUNCTION rowvec.pause(name text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id smallint := rowvec_internal.source_id(name);
BEGIN
  UPDATE rowvec_internal.source s SET state = 'paused' WHERE s.id = v_id;
  PERFORM rowvec_internal.drop_triggers(v_id);
END $$;
