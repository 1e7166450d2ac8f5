-- Purpose: log the next keys of a source in lane 1, 512 a change. Locks: none but on what it inserts. Index: the key's.
WITH page AS MATERIALIZED (
  SELECT {key_text} AS key, row_number() OVER (ORDER BY {row_keys}) AS i FROM {table} d WHERE {after_cursor}
    ORDER BY {row_keys} LIMIT %(limit)s
), logged AS (
  INSERT INTO rowvec_internal.change (source_id, lane, keys)
  SELECT %(source)s, 1, array_agg(key ORDER BY i) FROM page GROUP BY (i - 1) / 512 ORDER BY (i - 1) / 512
)
SELECT count(*), (SELECT key FROM page ORDER BY i DESC LIMIT 1), count(*) FROM page
