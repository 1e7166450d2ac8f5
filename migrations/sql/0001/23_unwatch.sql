-- Ends a source: its triggers, functions, waiting changes and dead letters go; its vectors only when asked.
-- Locks: ACCESS EXCLUSIVE on the source's table, briefly.
CREATE FUNCTION rowvec.unwatch(name text, drop_vectors boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
  v_id smallint := rowvec._source_id(name);
  v_vectors regclass;
BEGIN
  PERFORM rowvec._drop_triggers(v_id);
  EXECUTE format('DROP FUNCTION IF EXISTS rowvec.source_%1$s_statement(), rowvec.source_%1$s_row(), rowvec.source_%1$s_truncate()', v_id);
  DELETE FROM rowvec.source s WHERE s.id = v_id RETURNING s.vector_table INTO v_vectors;
  DELETE FROM rowvec.change c WHERE c.source_id = v_id;
  DELETE FROM rowvec.dead d WHERE d.source_id = v_id;
  IF drop_vectors AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = v_vectors) THEN
    EXECUTE format('DROP TABLE IF EXISTS %s', v_vectors);
  END IF;
  EXECUTE format('DROP TYPE IF EXISTS rowvec.source_%s_key', v_id);
END $fn$;
