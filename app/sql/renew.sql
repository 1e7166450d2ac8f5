-- Purpose: hold on to what is still being worked on, once half of its lease is over. Locks: the change rows. HOT.
UPDATE rowvec.change c SET visible_at = now() + %(lease)s
FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[]) AS i(seq, part, claimed_at)
WHERE c.source_id = %(source)s AND c.lane = %(lane)s AND c.seq = i.seq AND c.part = i.part AND c.claimed_at = i.claimed_at
  AND c.worker_id = %(worker)s
