-- Puts the triggers back and asks for a recheck of every row: what changed meanwhile is found by its hash.
-- Locks: SHARE ROW EXCLUSIVE on the source's table; ACCESS EXCLUSIVE where triggers of ours are still there.
CREATE OR REPLACE FUNCTION rowvec.resume(name text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id smallint := rowvec_internal.source_id(name);
BEGIN
  UPDATE rowvec_internal.source s SET state = 'active', problem = NULL WHERE s.id = v_id;
  PERFORM rowvec_internal.resolve(v_id);
  PERFORM rowvec_internal.drop_triggers(v_id);   -- one may be there that was made for other columns
  PERFORM rowvec_internal.install_triggers(v_id);
  PERFORM rowvec.recheck(name);
END $$;
