-- Puts the triggers back and asks for a recheck of every row: what changed meanwhile is found by its hash.
-- Locks: SHARE ROW EXCLUSIVE on the source's table; ACCESS EXCLUSIVE where triggers of ours are still there.
CREATE FUNCTION rowvec.resume(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_id smallint := rowvec._source_id(name);
BEGIN
  UPDATE rowvec.source s SET state = 'active', problem = NULL WHERE s.id = v_id;
  PERFORM rowvec._resolve(v_id);
  PERFORM rowvec._drop_triggers(v_id);   -- one may be there that was made for other columns
  PERFORM rowvec._install_triggers(v_id);
  PERFORM rowvec.recheck(name);
END $$;
