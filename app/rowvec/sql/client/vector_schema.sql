-- Purpose: the schema of pgvector's type, which need not be on the search_path. Locks: none. Called by: Client.search.
SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'vector'
