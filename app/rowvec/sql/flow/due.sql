-- Purpose: where there is anything to claim: changes never tried, or ones of a retry tier (claimed before, never
-- finished). Locks: none. Index: change_pkey from each source's and lane's beginning, so it also finds what committed
-- late with a low seq, expired leases and retries. Called when the lanes look empty, and every few seconds.
SELECT s.id, l.lane,
       EXISTS (SELECT FROM rowvec_internal.change WHERE source_id = s.id AND lane = l.lane AND visible_at <= now()
         AND attempts = 0),
       EXISTS (SELECT FROM rowvec_internal.change WHERE source_id = s.id AND lane = l.lane AND visible_at <= now()
               AND attempts > 0 AND attempts < %(tries)s)
FROM unnest(%(sources)s::smallint[]) WITH ORDINALITY AS s(id, i), (VALUES (0::smallint), (1::smallint)) AS l(lane)
ORDER BY l.lane, s.i
