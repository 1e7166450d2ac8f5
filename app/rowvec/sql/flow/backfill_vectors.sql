-- Purpose: log the keys of the next vectors whose row is gone. Locks: none but on what it inserts. Index: the primary
-- keys.
WITH page AS MATERIALIZED (
  SELECT {vector_key_text} AS key, row_number() OVER (ORDER BY {vector_keys}) AS i, {written_keys} FROM {vectors} v
  WHERE v.chunk = 0 AND {vector_after_cursor} ORDER BY {vector_keys} LIMIT %(limit)s
), orphan AS MATERIALIZED (
  SELECT key, i FROM page p WHERE NOT EXISTS (SELECT FROM {table} d WHERE {row_is_page})
), logged AS (
  INSERT INTO rowvec_internal.change (source_id, lane, keys)
  SELECT %(source)s, 1, array_agg(key ORDER BY i) FROM orphan GROUP BY (i - 1) / 512
)
SELECT count(*), (SELECT key FROM page ORDER BY i DESC LIMIT 1), (SELECT count(*) FROM orphan) FROM page
