-- Purpose: log keys as live changes, 512 a change, as a trigger would. Locks: none but on what it inserts.
INSERT INTO rowvec_internal.change (source_id, keys)
SELECT %(source)s, array_agg(key ORDER BY i) FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS k(key, i)
  GROUP BY (i - 1) / 512
