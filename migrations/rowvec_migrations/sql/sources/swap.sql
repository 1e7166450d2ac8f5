-- Exchanges the names of two sources of one table, and of their vector tables: searches by the old name use the new
-- recipe or model from the next statement on. Then unwatch the one that is now called by the new name. Claims of both
-- are taken back, since a daemon that knows the old names would write into the other's table: the vector tables are
-- locked first, so a write that has begun ends before, and one that begins later finds that it holds no lease; a
-- daemon that has not read the catalogue again takes nothing (claim.sql). Locks: ACCESS EXCLUSIVE on both vector
-- tables, for which it waits 2 s at most; the claimed change rows.
CREATE OR REPLACE FUNCTION rowvec.swap(old text, new text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_old     rowvec_internal.source;
  v_new     rowvec_internal.source;
  v_timeout text := current_setting('lock_timeout');
BEGIN
  PERFORM rowvec_internal.source_id(old), rowvec_internal.source_id(new);
  PERFORM FROM rowvec_internal.source s WHERE s.name IN (old, new) ORDER BY s.id FOR UPDATE;
  SELECT * INTO v_old FROM rowvec_internal.source s WHERE s.name = old;
  SELECT * INTO v_new FROM rowvec_internal.source s WHERE s.name = new;
  IF v_old.source_table <> v_new.source_table OR v_old.id = v_new.id THEN
    RAISE EXCEPTION 'sources "%" and "%" are not two sources of one table', old, new
      USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Watch %s under a new name, with the new recipe or model, and swap these.',
        rowvec_internal.table_name(v_old.source_table));
  END IF;
  IF v_new.state <> 'active' OR EXISTS (SELECT FROM rowvec_internal.backfill b WHERE b.source_id = v_new.id
    AND b.phase <> 'done')
     OR EXISTS (SELECT FROM rowvec_internal.change c WHERE c.source_id = v_new.id AND c.lane = 1) THEN
    RAISE EXCEPTION 'source "%" is not ready: it is %', new, CASE WHEN v_new.state <> 'active' THEN v_new.state
      ELSE 'being filled' END
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL rowvec.wait(%L, ''1 h''); then swap.',
        new);
  END IF;

  PERFORM set_config('lock_timeout', '2s', true);
  EXECUTE format('LOCK TABLE %s, %s IN ACCESS EXCLUSIVE MODE', v_old.vector_table, v_new.vector_table);
  UPDATE rowvec_internal.change c SET daemon_id = NULL, visible_at = '-infinity', attempts = greatest(c.attempts - 1, 0)
  WHERE c.source_id IN (v_old.id, v_new.id) AND c.daemon_id IS NOT NULL;
  EXECUTE format('ALTER TABLE %s RENAME TO %I', v_old.vector_table, format('rowvec_swap_%s', v_old.id));
  EXECUTE format('ALTER TABLE %s RENAME TO %I', v_new.vector_table, old || '_vectors');
  EXECUTE format('ALTER TABLE %s RENAME TO %I', v_old.vector_table, new || '_vectors');
  PERFORM set_config('lock_timeout', v_timeout, true);
  UPDATE rowvec_internal.source s SET name = format('rowvec_swap_%s', v_old.id), recipe = recipe + 1
    WHERE s.id = v_old.id;
  UPDATE rowvec_internal.source s SET name = old, recipe = recipe + 1 WHERE s.id = v_new.id;
  UPDATE rowvec_internal.source s SET name = new WHERE s.id = v_old.id;
  PERFORM rowvec_internal.ring('catalogue');
END $fn$;
