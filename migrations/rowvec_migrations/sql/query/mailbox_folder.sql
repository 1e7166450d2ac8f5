-- The folder of the mailbox, inside the data folder, one a database; NULL where a daemon never made it, or where the
-- owner of this function may not write files of the server.
CREATE OR REPLACE FUNCTION rowvec_internal.mailbox_folder() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_folder text;
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RETURN NULL;
  END IF;
  v_folder := format('%s/rowvec_queries/%s', current_setting('data_directory'), (SELECT oid FROM pg_database
    WHERE datname = current_database()));
  RETURN CASE WHEN (pg_stat_file(v_folder, true)).isdir THEN v_folder END;
END $$;
