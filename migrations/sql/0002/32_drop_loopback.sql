-- Takes the foreign server and its mapping away; the role stays.
CREATE FUNCTION rowvec._drop_loopback() RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DROP SERVER IF EXISTS rowvec_loopback CASCADE;
END $$;
