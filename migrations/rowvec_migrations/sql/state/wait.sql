-- Returns when every change that was committed before the call, and the backfill, is searchable. A procedure that
-- commits each turn: a fresh snapshot, no xmin held. Inside an open transaction it refuses to run, which is right,
-- since it would wait for its own uncommitted changes. For the same reason it can have no search_path of its own, and
-- qualifies names. Dead letters are reported by a WARNING. Locks: none.
CREATE OR REPLACE PROCEDURE rowvec.wait(name text, timeout interval DEFAULT '30 s') LANGUAGE plpgsql AS $$
DECLARE
  v_id       smallint := rowvec_internal.source_id(name);
  v_facts    record;
  v_token    bigint;
  v_deadline timestamptz := pg_catalog.clock_timestamp() + timeout;
  v_nap      float8 := 0.002;
BEGIN
  SELECT * INTO v_facts FROM rowvec_internal.wait_facts(v_id);
  v_token := v_facts.token;
  LOOP
    COMMIT;
    SELECT * INTO v_facts FROM rowvec_internal.wait_facts(v_id);
    IF v_facts.state IS DISTINCT FROM 'active' THEN
      RAISE EXCEPTION 'source "%" is %', name, coalesce(v_facts.state || coalesce(': ' || v_facts.problem, ''), 'gone')
        USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = CASE v_facts.state WHEN 'paused' THEN pg_catalog.format('SELECT rowvec.resume(%L);', name)
          ELSE 'See rowvec.status.' END;
    END IF;
    EXIT WHEN NOT rowvec_internal.waiting(v_id, v_token);
    IF pg_catalog.clock_timestamp() > v_deadline THEN
      RAISE EXCEPTION 'source "%" still has % waiting changes after %', name, v_facts.pending, timeout
        USING ERRCODE = 'query_canceled',
        HINT = CASE WHEN v_facts.daemons = 0 THEN 'No daemon of its model has a heartbeat: start `rowvec daemon`.'
          ELSE 'Wait longer, or see rowvec.status and rowvec.errors.' END;
    END IF;
    PERFORM pg_catalog.pg_sleep(v_nap);
    v_nap := least(v_nap * 1.5, 0.25);
  END LOOP;
  IF v_facts.dead > 0 THEN
    RAISE WARNING 'source "%" has % dead letters, which are not searchable: see rowvec.errors, then rowvec.retry',
      name, v_facts.dead;
  END IF;
END $$;
