-- Purpose: ask for the slow recheck of sources whose last pass is long ago; single-flighted by the caller's lock.
INSERT INTO rowvec_internal.change (source_id, keys)
SELECT b.source_id, NULL FROM rowvec_internal.backfill b JOIN rowvec_internal.source s ON s.id = b.source_id
WHERE b.phase = 'done' AND s.state = 'active' AND b.done_at < now() - %(every)s
  AND NOT EXISTS (SELECT FROM rowvec_internal.change c WHERE c.source_id = b.source_id AND c.lane = 0
    AND c.keys IS NULL)
