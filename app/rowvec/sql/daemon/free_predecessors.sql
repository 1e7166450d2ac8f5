-- Purpose: free at once what dead processes of this host held, instead of waiting for their leases; then forget them.
-- The attempts stay raised: one of those texts may have killed them. Locks: the change rows. Scans the log, once a start.
WITH gone AS (DELETE FROM rowvec.worker WHERE id = ANY (%(dead)s) RETURNING id)
UPDATE rowvec.change c SET worker_id = NULL, visible_at = '-infinity' FROM gone WHERE c.worker_id = gone.id
