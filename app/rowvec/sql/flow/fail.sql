-- Purpose: put the keys that failed back, to be tried again later; what else their changes held has been acked.
-- Locks: the change rows, if still ours. Index: change_pkey, then by ctid: see claim.sql. Back-off: 1 s, doubled by
-- attempt up to 1 h, with a jitter of a quarter, so that what failed together is not retried together.
WITH f AS MATERIALIZED (
  SELECT c.place, f.keys, f.error
  FROM (SELECT seq, part, claimed_at, array_agg(key) AS keys, max(error) AS error
        FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[], %(keys)s::text[],
          %(errors)s::text[])
             AS i(seq, part, claimed_at, key, error)
        GROUP BY seq, part, claimed_at) f
  CROSS JOIN LATERAL (
    SELECT ctid AS place FROM rowvec_internal.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND seq = f.seq AND part = f.part AND claimed_at = f.claimed_at
      AND daemon_id = %(daemon)s FOR UPDATE) c
)
UPDATE rowvec_internal.change c
SET keys = f.keys, daemon_id = NULL, last_error = f.error,
    visible_at = now() + least(interval '1 h', interval '1 s' * 2 ^ least(c.attempts - 1, 12)) * (0.75 + random() / 2)
FROM f WHERE c.ctid = f.place
