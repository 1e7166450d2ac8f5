-- Purpose: put claimed changes back, uncharged, to be tried in a moment: the fault was the server's. Locks: the change rows.
UPDATE rowvec.change c SET worker_id = NULL, visible_at = now() + interval '1 s', attempts = greatest(c.attempts - 1, 0)
FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[]) AS i(seq, part, claimed_at)
WHERE c.source_id = %(source)s AND c.lane = %(lane)s AND c.seq = i.seq AND c.part = i.part AND c.claimed_at = i.claimed_at
  AND c.worker_id = %(worker)s
