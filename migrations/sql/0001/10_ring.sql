-- The doorbell: NOTIFY takes one instance-wide lock at commit, so it is sent only when a daemon has said that it
-- sleeps. The payload is constant: PostgreSQL folds equal ones within a transaction.
CREATE FUNCTION rowvec.ring() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM rowvec.worker WHERE armed) THEN
    PERFORM pg_notify('rowvec', '');
  END IF;
END $$;
