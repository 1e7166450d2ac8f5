-- Purpose: disarm processes without a heartbeat, forget those of yesterday.
WITH old AS (DELETE FROM rowvec_internal.daemon w WHERE heartbeat_at < now() - interval '1 day'
             AND NOT EXISTS (SELECT FROM rowvec_internal.change c WHERE c.daemon_id = w.id) RETURNING 1)
UPDATE rowvec_internal.daemon SET armed = false WHERE armed AND heartbeat_at < now() - interval '1 min'
