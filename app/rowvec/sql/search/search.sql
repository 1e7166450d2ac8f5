-- Purpose: the nearest rows of a source to a text, with the beginning of what they say, or the passage that fits.
-- Locks: none. Index: the vector table's HNSW index where there is one; the source's key. Called by: hits.search.
SELECT k.key, k.distance, coalesce(left(regexp_replace(coalesce(k.passage, left({text}, 1000)), '\s+', ' ', 'g'),
  CASE WHEN k.passage IS NULL THEN 80 ELSE 400 END), '') AS text
FROM rowvec.search(%(source)s::text, %(text)s::text, k => %(k)s, filter => %(filter)s::text) k
JOIN {table} d ON {row_has_key}
ORDER BY k.distance
