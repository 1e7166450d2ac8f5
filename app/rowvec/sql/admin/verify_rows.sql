-- Purpose: a window of rows with their text, the hash beside their vector and what chunks are there. Locks: none.
-- Index: both keys'.
WITH page AS MATERIALIZED (
  SELECT * FROM {table} d WHERE {after_cursor} ORDER BY {row_keys} LIMIT %(limit)s
)
SELECT true, {key_text}, CASE WHEN {vector} IS NOT NULL THEN {stored} END, {text}, {row_chunks_there}
FROM page d LEFT JOIN {vectors} v ON {vector_is_row} AND v.chunk = 0 AND v._hash IS NOT NULL
ORDER BY {row_keys}
