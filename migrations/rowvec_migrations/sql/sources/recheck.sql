-- Asks for a pass over the whole source, from its beginning: rows whose text's hash differs are embedded, vectors
-- without a row are cleared. Locks: the source's backfill row.
CREATE OR REPLACE FUNCTION rowvec.recheck(name text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id smallint := rowvec_internal.source_id(name);
BEGIN
  INSERT INTO rowvec_internal.backfill (source_id, phase, recheck, estimate)
  SELECT s.id, 'rows', true, greatest(c.reltuples, 0) FROM rowvec_internal.source s JOIN pg_catalog.pg_class c
    ON c.oid = s.source_table WHERE s.id = v_id
  ON CONFLICT (source_id) DO UPDATE SET phase = 'rows', recheck = true, cursor_key = NULL, enqueued = 0, done_at = NULL,
    estimate = EXCLUDED.estimate, requested_at = clock_timestamp();
  PERFORM rowvec_internal.ring('catalogue');
END $$;
