-- The doorbell. NOTIFY takes one instance-wide lock at commit, so it is sent only when a daemon is armed. The payload
-- is '' for rows, 'catalogue' for sources and backfills: PostgreSQL sends equal ones of a transaction once. It is not
-- sent when the notification queue is nearly full (a listener that sits in a transaction): a NOTIFY into a full queue
-- makes the user's COMMIT fail. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.ring(about text DEFAULT '') RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND pg_notification_queue_usage() < 0.9 THEN
    PERFORM pg_notify('rowvec', about);
  END IF;
END $$;
