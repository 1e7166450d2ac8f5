-- Purpose: give back what this daemon still holds, uncharged: a graceful stop. Locks: the change rows. Scans the log.
UPDATE rowvec_internal.change SET daemon_id = NULL, visible_at = '-infinity', attempts = greatest(attempts - 1, 0)
WHERE daemon_id = %(daemon)s
