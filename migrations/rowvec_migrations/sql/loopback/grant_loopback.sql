-- Gives the loop-back role what it may do: ask, and take the answer. Called by `rowvec setup-loopback`.
CREATE OR REPLACE FUNCTION rowvec_internal.grant_loopback(p_role name) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA rowvec_internal TO %I', p_role);
  EXECUTE format('GRANT EXECUTE ON FUNCTION rowvec_internal.ask(smallint, text, text, smallint),'
                 ' rowvec_internal.take_answer(uuid), rowvec_internal.same_database(oid, numeric) TO %I', p_role);
END $$;
