-- Purpose: take changes apart that hold too many keys for one claim: for a slow model, what is two seconds of work; after
-- the death of a process that held them 16, after a second death one, so that a text that kills does not bury the
-- innocent ones beside it.
-- Locks: the change rows. The parts keep seq and attempts; a part's number is the place of its first key in the whole.
WITH whole AS (
  DELETE FROM rowvec.change
  WHERE (source_id, lane, seq, part) IN (
    SELECT source_id, lane, seq, part FROM rowvec.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND seq >= %(floor)s AND visible_at <= now()
      AND cardinality(keys) > CASE attempts WHEN 0 THEN %(texts)s WHEN 1 THEN 16 ELSE 1 END
    ORDER BY seq, part LIMIT 2 FOR UPDATE SKIP LOCKED)
  RETURNING *, CASE attempts WHEN 0 THEN %(texts)s WHEN 1 THEN 16 ELSE 1 END AS size
)
INSERT INTO rowvec.change (source_id, lane, seq, part, keys, attempts, visible_at, enqueued_at, last_error)
SELECT source_id, lane, seq, greatest(part, 1) + i - 1, keys[i : i + size - 1], attempts, visible_at, enqueued_at, last_error
FROM whole, generate_series(1, cardinality(keys), size) AS i
