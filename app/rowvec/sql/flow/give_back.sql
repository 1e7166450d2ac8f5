-- Purpose: put claimed changes back, uncharged, to be tried in a moment: the fault was the server's, or the
-- model's; rowvec.status then says what it was. Locks: the change rows.
UPDATE rowvec_internal.change
SET daemon_id = NULL, visible_at = now() + interval '1 s', attempts = greatest(attempts - 1, 0),
  last_error = coalesce(%(error)s, last_error)
WHERE ctid = ANY (ARRAY(
  SELECT c.place
  FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[]) AS i(seq, part, claimed_at)
  CROSS JOIN LATERAL (
    SELECT ctid AS place FROM rowvec_internal.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND seq = i.seq AND part = i.part AND claimed_at = i.claimed_at
      AND daemon_id = %(daemon)s FOR UPDATE) c))
