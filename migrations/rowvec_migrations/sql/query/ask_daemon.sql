-- Asks a daemon, by the loop-back or the mailbox: the vector of a text, or (p_source) how that source cuts it into
-- chunks. Runs with the owner's rights, since only the owner may use the loop-back's password.
CREATE OR REPLACE FUNCTION rowvec_internal.ask_daemon(p_model smallint, p_prompt text, p_query text,
  p_source smallint) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_timeout interval;
  v_way     record;
BEGIN
  BEGIN
    v_timeout := coalesce(nullif(current_setting('rowvec.query_timeout', true), ''), '5 s');
  EXCEPTION WHEN invalid_datetime_format THEN
    RAISE EXCEPTION 'rowvec.query_timeout is "%", which is no interval', current_setting('rowvec.query_timeout')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: SET rowvec.query_timeout = ''5 s''.';
  END;
  v_way := rowvec_internal.query_way();
  IF v_way.way = 'loopback' THEN
    RETURN rowvec_internal.by_loopback(p_model, p_prompt, p_query, p_source, v_timeout);
  ELSIF v_way.way = 'mailbox' THEN
    RETURN rowvec_internal.by_mailbox(rowvec_internal.mailbox_folder(), p_model, p_prompt, p_query, p_source,
      v_timeout);
  ELSE
    RAISE EXCEPTION 'no daemon can be asked from SQL here' USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = v_way.missing;
  END IF;
END $fn$;
