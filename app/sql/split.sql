-- Purpose: take changes apart whose claim was not finished (a killed process), into 16 keys after the first death, one
-- after the second, so that a text that kills the process does not bury the innocent ones beside it.
-- Locks: the change rows. The parts keep seq and attempts; part numbers: 1.. for the first split, 1001.. for the second.
WITH whole AS (
  DELETE FROM rowvec.change
  WHERE (source_id, lane, seq, part) IN (
    SELECT source_id, lane, seq, part FROM rowvec.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND visible_at <= now() AND attempts > 0
      AND cardinality(keys) > CASE WHEN attempts = 1 THEN 16 ELSE 1 END
    ORDER BY seq, part LIMIT 8 FOR UPDATE SKIP LOCKED)
  RETURNING *, CASE WHEN attempts = 1 THEN 16 ELSE 1 END AS size
)
INSERT INTO rowvec.change (source_id, lane, seq, part, keys, attempts, visible_at, enqueued_at, last_error)
SELECT source_id, lane, seq, CASE WHEN size = 16 THEN (i + 15) / 16 ELSE 1000 + greatest(part - 1, 0) * 16 + i END,
       keys[i : i + size - 1], attempts, visible_at, enqueued_at, last_error
FROM whole, generate_series(1, cardinality(keys), size) AS i
