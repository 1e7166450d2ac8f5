-- How a text becomes a vector inside a SELECT in this database (loopback or mailbox), what is missing where it
-- cannot, and whether a daemon answers: for the error and for `rowvec doctor`. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.query_way(OUT way text, OUT missing text, OUT answered boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF rowvec_internal.extension_schema('dblink') IS NOT NULL AND EXISTS (SELECT FROM pg_foreign_server
    WHERE srvname = 'rowvec_loopback') THEN
    way := 'loopback';
    answered := rowvec_internal.listens(1);
  ELSIF rowvec_internal.mailbox_folder() IS NOT NULL THEN
    way := 'mailbox';
    answered := rowvec_internal.listens(2);
  ELSE
    answered := false;
    missing := CASE
      WHEN rowvec_internal.extension_schema('dblink') IS NOT NULL
        THEN 'Run `rowvec setup-loopback` once, then start `rowvec daemon`.'
      WHEN EXISTS (SELECT FROM pg_available_extensions WHERE name = 'dblink') THEN
        'Let an administrator run CREATE EXTENSION dblink in this database, then run `rowvec setup-loopback` once.'
      ELSE 'This server has no dblink (contrib): start `rowvec daemon` on the machine of the server,'
           ' as the user that runs the server, or embed the text in the client.' END;
  END IF;
END $$;
