-- Purpose: a window of vectors; true where the row is gone, or where chunks have lost their head. Locks: none. Index:
-- both keys'.
SELECT v.chunk > 0 OR NOT EXISTS (SELECT FROM {table} d WHERE {vector_is_row}), {vector_key_text}
FROM {vectors} v WHERE {first_chunk} AND (v.chunk > 0 OR v._hash IS NOT NULL) AND {vector_after_cursor}
ORDER BY {vector_keys} LIMIT %(limit)s
