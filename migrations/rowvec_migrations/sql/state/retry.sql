-- Tries again: the dead letters of a source (or one key) go back to the change log, waiting retries become due now.
-- Returns how many keys.
CREATE OR REPLACE FUNCTION rowvec.retry(name text, key text DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_id   smallint := rowvec_internal.source_id(name);
  v_dead bigint;
  v_due  bigint;
BEGIN
  WITH gone AS (
    DELETE FROM rowvec_internal.dead d WHERE d.source_id = v_id AND (retry.key IS NULL OR d.key = retry.key)
      RETURNING d.key
  ), logged AS (
    INSERT INTO rowvec_internal.change (source_id, keys) SELECT v_id, ARRAY[g.key] FROM gone g RETURNING 1
  ) SELECT count(*) INTO v_dead FROM logged;
  UPDATE rowvec_internal.change c SET visible_at = '-infinity', attempts = 0
  WHERE c.source_id = v_id AND c.daemon_id IS NULL AND c.last_error IS NOT NULL AND (retry.key IS NULL
    OR retry.key = ANY (c.keys));
  GET DIAGNOSTICS v_due = ROW_COUNT;
  PERFORM rowvec_internal.ring();
  RETURN v_dead + v_due;
END $fn$;
