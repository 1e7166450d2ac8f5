-- The error of a query that no daemon answered. It says what to do.
CREATE OR REPLACE FUNCTION rowvec_internal.no_answer(p_way integer, p_after interval) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF rowvec_internal.listens(p_way) THEN
    RAISE EXCEPTION 'no daemon answered the query within %', p_after USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'A daemon listens, but is busy or has not this model: see its log,'
             ' or give it more time: SET rowvec.query_timeout = ''30 s''.';
  END IF;
  RAISE EXCEPTION 'no daemon is there to turn the query into a vector'
    USING ERRCODE = 'object_not_in_prerequisite_state',
    HINT = 'Start `rowvec daemon`, or pass a vector.';
END $$;
