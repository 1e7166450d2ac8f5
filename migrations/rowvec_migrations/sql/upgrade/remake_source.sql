-- Brings what is made for a source up to this version: functions, triggers, policies, prepared search. A paused source
-- has no triggers, and gets them from resume(); what is wrong with a broken one must be mended first.
-- Locks: those of drop_outdated, install_triggers and grant_vectors: none that a writer notices when nothing differs.
-- Called by migrate, for each source in a transaction of its own.
CREATE OR REPLACE FUNCTION rowvec_internal.remake_source(p_source smallint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s         rowvec_internal.source;
  v_enable  text;
  v_enabled text[];
BEGIN
  SELECT * INTO s FROM rowvec_internal.source WHERE id = p_source;
  IF NOT FOUND OR s.state = 'broken' OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.source_table)
     OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.vector_table) THEN
    RETURN;
  END IF;
  PERFORM rowvec_internal.make_functions(p_source);
  PERFORM rowvec_internal.grant_vectors(p_source);
  v_enabled := rowvec_internal.drop_outdated(p_source);
  IF s.state = 'active' THEN
    PERFORM rowvec_internal.install_triggers(p_source);
    FOREACH v_enable IN ARRAY v_enabled LOOP
      EXECUTE v_enable;
    END LOOP;
  END IF;
  PERFORM rowvec_internal.grant_vectors(p_source);
  DELETE FROM rowvec_internal.prepared_search WHERE source_id = p_source;   -- so that its functions are made anew
  PERFORM rowvec_internal.prepare_search(p_source);
END $fn$;
