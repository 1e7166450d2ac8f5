-- Purpose: free at once what dead processes of this host held, instead of waiting for their leases; then forget them.
-- The attempts stay raised: one of those texts may have killed them. Locks: the change rows. Scans the log, once a
-- start.
WITH gone AS (DELETE FROM rowvec_internal.daemon WHERE id = ANY (%(dead)s) RETURNING id)
UPDATE rowvec_internal.change c SET daemon_id = NULL, visible_at = '-infinity' FROM gone WHERE c.daemon_id = gone.id
