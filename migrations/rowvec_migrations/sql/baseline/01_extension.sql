-- pgvector, where it is not there yet: one clear line when it is not installed, or when the role may not.
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN RETURN; END IF;
  IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
    RAISE EXCEPTION 'this server does not have pgvector' USING ERRCODE = 'feature_not_supported',
      HINT = 'Install pgvector on the server (its package is often postgresql-NN-pgvector),'
             ' then run `rowvec migrate` again.';
  END IF;
  CREATE EXTENSION vector;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE EXCEPTION 'this role may not create the extension vector' USING ERRCODE = 'insufficient_privilege',
    HINT = 'Let an administrator run CREATE EXTENSION vector in this database, then run `rowvec migrate` again.';
END $$;
