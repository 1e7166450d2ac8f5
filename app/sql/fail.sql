-- Purpose: put the keys that failed back, to be tried again later; what else their changes held has been acked.
-- Locks: the change rows, if still ours. Index: change_pkey.
-- Back-off: 1 s, doubled by attempt up to 1 h, with a jitter of a quarter, so that what failed together is not retried together.
UPDATE rowvec.change c
SET keys = f.keys, worker_id = NULL, last_error = f.error,
    visible_at = now() + least(interval '1 h', interval '1 s' * 2 ^ least(c.attempts - 1, 12)) * (0.75 + random() / 2)
FROM (SELECT seq, part, claimed_at, array_agg(key) AS keys, max(error) AS error
      FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[], %(keys)s::text[], %(errors)s::text[])
           AS i(seq, part, claimed_at, key, error)
      GROUP BY seq, part, claimed_at) f
WHERE c.source_id = %(source)s AND c.lane = %(lane)s AND c.seq = f.seq AND c.part = f.part AND c.claimed_at = f.claimed_at
  AND c.worker_id = %(worker)s
