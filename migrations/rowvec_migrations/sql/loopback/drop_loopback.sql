-- Drops the foreign server and its user mapping, and the role that `rowvec setup-loopback` made for this database.
-- Locks: none that others wait for.
CREATE OR REPLACE FUNCTION rowvec_internal.drop_loopback() RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_role name := format('rowvec_loopback_%s', (SELECT oid FROM pg_database WHERE datname = current_database()));
BEGIN
  DROP SERVER IF EXISTS rowvec_loopback CASCADE;
  BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
      EXECUTE format('DROP OWNED BY %I', v_role);
      EXECUTE format('DROP ROLE %I', v_role);
    END IF;
  EXCEPTION WHEN insufficient_privilege OR dependent_objects_still_exist THEN
    RAISE NOTICE 'role % stays: %', v_role, SQLERRM;
  END;
END $$;
