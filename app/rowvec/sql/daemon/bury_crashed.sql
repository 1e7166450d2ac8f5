-- Purpose: move changes to the dead letters whose every claim ended with the death of a process: the claim raises the
-- attempts, and nobody finished it.
-- The last of these claims held one key (flow/retry_tiers.py). A recheck of the whole source holds no text that could
-- be the cause, and begins again. Locks: the change rows. Scans the log.
WITH anew AS (
  UPDATE rowvec_internal.change SET attempts = 0 WHERE attempts >= %(tries)s AND visible_at <= now() AND keys IS NULL
), gone AS (
  DELETE FROM rowvec_internal.change WHERE attempts >= %(tries)s AND visible_at <= now() AND keys IS NOT NULL
  RETURNING source_id, keys, attempts, enqueued_at, last_error
)
INSERT INTO rowvec_internal.dead (source_id, key, attempts, error, enqueued_at)
SELECT DISTINCT ON (g.source_id, k.key) g.source_id, k.key, g.attempts,
       coalesce(g.last_error, 'the process died each time while it worked on this text'), g.enqueued_at
FROM gone g CROSS JOIN LATERAL unnest(g.keys) k(key) ORDER BY g.source_id, k.key
ON CONFLICT (source_id, key) DO UPDATE SET attempts = EXCLUDED.attempts, error = EXCLUDED.error,
  died_at = clock_timestamp()
