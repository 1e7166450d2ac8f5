-- Purpose: forget tombstones that no claim can be older than: a claim that was begun before one may still want to
-- write. Locks: the tombstones. Index: the partial one on _at.
DELETE FROM {vectors} WHERE ctid = ANY (ARRAY(
  SELECT v.ctid FROM {vectors} v
  WHERE v.chunk = 0 AND v._hash IS NULL
    AND v._at < least(now() - interval '2 min',
                      -- the clock was put back
                      (SELECT min(CASE WHEN claimed_at > now() THEN '-infinity' ELSE claimed_at END)
                     FROM rowvec_internal.change WHERE source_id = %(source)s AND daemon_id IS NOT NULL))
  LIMIT 20000 FOR UPDATE SKIP LOCKED))
