-- What the loop-back role may do: ask, and take the answer.
CREATE FUNCTION rowvec._grant_loopback(p_role name) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA rowvec TO %I', p_role);
  EXECUTE format('GRANT EXECUTE ON FUNCTION rowvec._ask(smallint, text, text, smallint), rowvec._take_answer(uuid), rowvec._same_database(oid, numeric) TO %I', p_role);
END $$;
