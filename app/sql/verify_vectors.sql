-- Purpose: a window of vectors; true where the row is gone. Locks: none. Index: both keys'.
SELECT NOT EXISTS (SELECT FROM {table} d WHERE {vector_is_row}), {vector_key_text}
FROM {vectors} v WHERE v.chunk = 0 AND v._hash IS NOT NULL AND {vector_after_cursor}
ORDER BY {vector_keys} LIMIT %(limit)s
