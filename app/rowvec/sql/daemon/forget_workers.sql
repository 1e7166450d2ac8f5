-- Purpose: disarm processes without a heartbeat, forget those of yesterday.
WITH old AS (DELETE FROM rowvec.worker w WHERE heartbeat_at < now() - interval '1 day'
             AND NOT EXISTS (SELECT FROM rowvec.change c WHERE c.worker_id = w.id) RETURNING 1)
UPDATE rowvec.worker SET armed = false WHERE armed AND heartbeat_at < now() - interval '1 min'
