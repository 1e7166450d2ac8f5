-- Purpose: the first chunk that a key has a vector for. Part of verify_vectors.sql. Locks: none. Index: the vector
-- table's primary key.
v.chunk = (SELECT min(w.chunk) FROM {vectors} w WHERE {chunk_has_key} AND w.embedding IS NOT NULL)
