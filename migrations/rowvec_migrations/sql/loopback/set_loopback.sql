-- Makes the foreign server and the user mapping of the role that owns these functions. The password is a parameter,
-- so that it is in no statement that log_statement = 'ddl' or 'mod' writes.
CREATE OR REPLACE FUNCTION rowvec_internal.set_loopback(p_host text, p_port integer, p_user text, p_password text,
  p_connect_s integer, p_idle_s integer) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_owner name := (SELECT r.rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
    WHERE p.oid = 'rowvec_internal.try_loopback()'::regprocedure);
BEGIN
  DROP SERVER IF EXISTS rowvec_loopback CASCADE;
  EXECUTE format('CREATE SERVER rowvec_loopback FOREIGN DATA WRAPPER dblink_fdw'
                 ' OPTIONS (host %L, port %L, dbname %L, connect_timeout %L, options %L)',
    p_host, p_port, current_database(), p_connect_s,
      format('-c idle_session_timeout=%ss -c synchronous_commit=off -c statement_timeout=10s'
           ' -c application_name=rowvec_loopback', p_idle_s));
  EXECUTE format('GRANT USAGE ON FOREIGN SERVER rowvec_loopback TO %I', v_owner);
  EXECUTE format('CREATE USER MAPPING FOR %I SERVER rowvec_loopback OPTIONS (user %L, password %L)', v_owner, p_user,
    p_password);
END $$;
