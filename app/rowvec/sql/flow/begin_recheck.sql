-- Purpose: turn "recheck the whole source" (a TRUNCATE, a renamed key, a resume) into a backfill from the beginning,
-- and finish those changes, in one statement. Locks: the change rows, the backfill row.
WITH gone AS (
  DELETE FROM rowvec_internal.change WHERE ctid = ANY (ARRAY(
    SELECT c.place FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[]) AS f(seq, part,
      claimed_at)
    CROSS JOIN LATERAL (
      SELECT ctid AS place FROM rowvec_internal.change
      WHERE source_id = %(source)s AND lane = %(lane)s AND seq = f.seq AND part = f.part AND claimed_at = f.claimed_at
        AND daemon_id = %(daemon)s FOR UPDATE) c))
  RETURNING 1
)
INSERT INTO rowvec_internal.backfill AS b (source_id, phase, recheck, estimate)
SELECT s.id, 'rows', true, greatest(c.reltuples, 0) FROM rowvec_internal.source s JOIN pg_class c
  ON c.oid = s.source_table
WHERE s.id = %(source)s AND EXISTS (SELECT FROM gone)
ON CONFLICT (source_id) DO UPDATE SET phase = 'rows', recheck = true, cursor_key = NULL, enqueued = 0, done_at = NULL,
  estimate = EXCLUDED.estimate, requested_at = clock_timestamp()
