-- Asks a daemon over dblink, a second session of the same database, so that the request commits at once whatever the
-- caller's transaction is. Works at any isolation level and in a read-only transaction; a cancel is seen within 20
-- ms. The connection stays open for the session (opening one costs 5 ms with SCRAM); its role may do nothing but ask.
-- Locks: none. Called by ask_daemon.
CREATE OR REPLACE FUNCTION rowvec_internal.by_loopback(p_model smallint, p_prompt text, p_query text,
  p_source smallint, p_timeout interval) RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_dblink text := rowvec_internal.extension_schema('dblink');
  v_ask    text := format('SELECT * FROM %s.dblink(''rowvec_loopback'', %L) AS r(id uuid)', v_dblink,
                          format('SELECT rowvec_internal.ask(%s::smallint, %L, %L, %L::smallint)', p_model, p_prompt,
                            p_query, p_source));
  v_begin  timestamptz := clock_timestamp();
  v_waited interval;
  v_open   boolean;
  v_id     uuid;
  v_take   text;
  v_answer text;
  v_error  text;
BEGIN
  EXECUTE format('SELECT coalesce(''rowvec_loopback'' = ANY (%s.dblink_get_connections()), false)', v_dblink)
    INTO v_open;
  IF v_open THEN
    BEGIN
      EXECUTE v_ask INTO v_id;
    EXCEPTION WHEN OTHERS THEN   -- the server closed it: it was idle for long, or ended by an administrator
      EXECUTE format('SELECT %s.dblink_disconnect(''rowvec_loopback'')', v_dblink);
    END;
  END IF;
  IF v_id IS NULL THEN
    BEGIN
      EXECUTE format('SELECT %s.dblink_connect(''rowvec_loopback'', ''rowvec_loopback'')', v_dblink);
    EXCEPTION WHEN OTHERS THEN
      RAISE EXCEPTION 'the loop-back connection cannot be opened: %', SQLERRM
        USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Run `rowvec setup-loopback` again: host and port as the server sees itself.';
    END;
    EXECUTE v_ask INTO v_id;
  END IF;

  v_take := format('SELECT * FROM %s.dblink(''rowvec_loopback'', %L) AS r(answer text, error text)', v_dblink,
                   format('SELECT * FROM rowvec_internal.take_answer(%L)', v_id));
  LOOP
    v_waited := clock_timestamp() - v_begin;
    PERFORM pg_sleep(0.001);   -- time for a daemon to claim it; from then on, taking waits for the daemon
    EXECUTE v_take INTO v_answer, v_error;
    EXIT WHEN v_answer IS NOT NULL OR v_error IS NOT NULL;
    IF v_waited > p_timeout OR v_waited > interval '1 s' AND NOT rowvec_internal.listens(1) THEN
      PERFORM rowvec_internal.no_answer(1, p_timeout);
    END IF;
  END LOOP;
  IF v_error IS NOT NULL THEN
    RAISE EXCEPTION 'the daemon could not encode the query: %', v_error USING ERRCODE = 'external_routine_exception';
  END IF;
  RETURN v_answer;
END $fn$;
