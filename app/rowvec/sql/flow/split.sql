-- Purpose: split changes that hold too many keys for one claim. For a slow model: into what is two seconds of work.
-- For what a dead process held: the more tries a change has had, the fewer keys a part gets (flow/retry_tiers.py), so
-- that a text that kills the process has its last try alone.
-- Two changes at a time: their parts are more than the claim that follows can take. Locks: the change rows. The parts
-- keep seq and attempts; a part's number is the place of its first key in the whole change.
WITH whole AS (
  DELETE FROM rowvec_internal.change
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM rowvec_internal.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND seq >= %(floor)s AND visible_at <= now()
      AND attempts >= %(attempts_from)s AND attempts < %(attempts_below)s AND cardinality(keys) > %(most)s
    ORDER BY seq, part LIMIT 2 FOR UPDATE SKIP LOCKED))
  RETURNING *
)
INSERT INTO rowvec_internal.change (source_id, lane, seq, part, keys, attempts, visible_at, enqueued_at, last_error)
SELECT source_id, lane, seq, greatest(part, 1) + i - 1, keys[i : i + %(most)s - 1], attempts, visible_at,
  enqueued_at, last_error
FROM whole, generate_series(1, cardinality(keys), %(most)s) AS i
