-- Purpose: hold on to what is still being worked on, once half of its lease is over. Locks: the change rows. HOT.
UPDATE rowvec_internal.change SET visible_at = now() + %(lease)s
WHERE ctid = ANY (ARRAY(
  SELECT c.place
  FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[]) AS i(seq, part, claimed_at)
  CROSS JOIN LATERAL (
    SELECT ctid AS place FROM rowvec_internal.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND seq = i.seq AND part = i.part AND claimed_at = i.claimed_at
      AND daemon_id = %(daemon)s FOR UPDATE) c))
