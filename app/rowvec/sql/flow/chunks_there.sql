-- Purpose: what a claim or a check knows of the chunks that are there: their hashes in order, and where the last one
-- ends; NULL when there are none, -1 for the end when one of them is missing. Part of other statements. Locks: none.
-- Index: the vector table's primary key.
(SELECT array_agg(w._chunk_hash ORDER BY w.chunk) FROM {vectors} w WHERE {chunk_has_key}
  AND w.embedding IS NOT NULL) AS chunk_hashes,
(SELECT CASE WHEN count(*) = 0 THEN NULL WHEN count(*) = max(w.chunk) + 1 THEN max(w.chunk_end) ELSE -1 END
  FROM {vectors} w WHERE {chunk_has_key} AND w.embedding IS NOT NULL) AS chunks_end
