-- Opens the loop-back connection again, with the owner's rights; returns whether it leads back to this database.
CREATE OR REPLACE FUNCTION rowvec_internal.try_loopback() RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_dblink text := rowvec_internal.extension_schema('dblink');
  v_same   boolean;
  v_open   boolean;
BEGIN
  EXECUTE format('SELECT coalesce(''rowvec_loopback'' = ANY (%s.dblink_get_connections()), false)', v_dblink)
    INTO v_open;
  IF v_open THEN
    EXECUTE format('SELECT %s.dblink_disconnect(''rowvec_loopback'')', v_dblink);
  END IF;
  EXECUTE format('SELECT %s.dblink_connect(''rowvec_loopback'', ''rowvec_loopback'')', v_dblink);
  EXECUTE format('SELECT * FROM %s.dblink(''rowvec_loopback'', %L) AS r(same boolean)', v_dblink,
    format('SELECT rowvec_internal.same_database(%s, %s)', (SELECT oid FROM pg_database
      WHERE datname = current_database()), extract(epoch FROM pg_postmaster_start_time()))) INTO v_same;
  EXECUTE format('SELECT %s.dblink_disconnect(''rowvec_loopback'')', v_dblink);
  RETURN v_same;
END $fn$;
