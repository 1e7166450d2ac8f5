-- Asks a daemon through files, where it shares the server's machine and dblink is missing (the embedded server). The
-- request is written by COPY, which does not wait for a commit; the answer is read by pg_read_binary_file, which
-- knows no snapshot. File names are random. Each file ends with a full stop, so that one that is half written is not
-- taken for whole. Locks: none. Called by ask_daemon.
CREATE OR REPLACE FUNCTION rowvec_internal.by_mailbox(p_folder text, p_model smallint, p_prompt text, p_query text,
  p_source smallint, p_timeout interval) RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_stem   text := format('%s/%s', p_folder, gen_random_uuid());
  v_begin  timestamptz := clock_timestamp();
  v_waited interval;
  v_answer text;
BEGIN
  EXECUTE format('COPY (SELECT %L) TO %L', encode(convert_to(
    jsonb_build_object('model', p_model, 'prompt', p_prompt, 'query', p_query, 'source', p_source)::text, 'UTF8'),
      'hex') || '.', v_stem || '.ask');
  LOOP
    v_waited := clock_timestamp() - v_begin;
    PERFORM pg_sleep(CASE WHEN v_waited < interval '50 ms' THEN 0.001 WHEN v_waited < interval '500 ms' THEN 0.005
      ELSE 0.02 END);
    v_answer := convert_from(pg_read_binary_file(v_stem || '.answer', 0, 10000000, true), 'UTF8');
    EXIT WHEN v_answer LIKE '%.';
    IF v_waited > p_timeout OR v_waited > interval '1 s' AND NOT rowvec_internal.listens(2) THEN
      PERFORM rowvec_internal.no_answer(2, p_timeout);
    END IF;
  END LOOP;
  v_answer := left(v_answer, -1);
  IF v_answer NOT LIKE '[%' THEN
    RAISE EXCEPTION 'the daemon could not encode the query: %', ltrim(v_answer, '!')
      USING ERRCODE = 'external_routine_exception';
  END IF;
  RETURN v_answer;
END $fn$;
