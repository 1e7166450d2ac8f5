-- Purpose: the beginning of the texts of some rows, to be shown beside their keys. Locks: none. Index: the source's
-- key. Called by: rowvec search.
SELECT k.key, left({text}, 1000)
FROM unnest(%(keys)s::text[]) k(key)
JOIN {table} d ON {row_has_key}
