-- Purpose: the numbers of pgvector's type and of its array, whatever schema the extension is in. Locks: none.
-- Called by: vectors.register, for each connection.
SELECT t.oid::bigint, t.typarray::bigint
FROM pg_type t JOIN pg_extension e ON e.extnamespace = t.typnamespace
WHERE e.extname = 'vector' AND t.typname = 'vector'
