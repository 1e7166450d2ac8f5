-- Takes the triggers off, so that ALTER … TYPE and DROP COLUMN of watched columns pass; search goes on with what is there.
-- Locks: ACCESS EXCLUSIVE on the source's table, briefly.
CREATE FUNCTION rowvec.pause(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_id smallint := rowvec._source_id(name);
BEGIN
  UPDATE rowvec.source s SET state = 'paused' WHERE s.id = v_id;
  PERFORM rowvec._drop_triggers(v_id);
END $$;
