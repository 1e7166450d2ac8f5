-- Purpose: the nearest rows of a source to a text. Locks: none. Index: the vector table's HNSW index where there is one.
-- Called by: hits.search.
SELECT key::text AS key, distance FROM rowvec.search(%(source)s::text, %(text)s::text, k => %(k)s, filter => %(filter)s::text)
