-- Purpose: move keys that failed for the last time to the dead letters; their changes end, if still ours.
-- Locks: the change rows. Index: change_pkey, then by ctid (see claim.sql), dead_pkey.
WITH failed AS (
  SELECT * FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[], %(keys)s::text[],
    %(errors)s::text[], %(lengths)s::integer[], %(hashes)s::bytea[])
    AS i(seq, part, claimed_at, key, error, text_length, text_hash)
), gone AS (
  DELETE FROM rowvec_internal.change WHERE ctid = ANY (ARRAY(
    SELECT c.place FROM (SELECT DISTINCT seq, part, claimed_at FROM failed) f
    CROSS JOIN LATERAL (
      SELECT ctid AS place FROM rowvec_internal.change
      WHERE source_id = %(source)s AND lane = %(lane)s AND seq = f.seq AND part = f.part AND claimed_at = f.claimed_at
        AND daemon_id = %(daemon)s FOR UPDATE) c))
  RETURNING seq, part, attempts, enqueued_at
)
INSERT INTO rowvec_internal.dead (source_id, key, attempts, error, text_length, text_hash, enqueued_at)
SELECT DISTINCT ON (f.key) %(source)s, f.key, g.attempts, f.error, f.text_length, f.text_hash, g.enqueued_at
FROM gone g JOIN failed f USING (seq, part) ORDER BY f.key, g.seq DESC
ON CONFLICT (source_id, key) DO UPDATE
SET attempts = EXCLUDED.attempts, error = EXCLUDED.error, text_length = EXCLUDED.text_length,
  text_hash = EXCLUDED.text_hash,
    enqueued_at = EXCLUDED.enqueued_at, died_at = clock_timestamp()
