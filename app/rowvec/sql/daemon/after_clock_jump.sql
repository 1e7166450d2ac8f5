-- Purpose: let go of leases and retries that lie too far ahead: the server's clock was put back. No lease is renewed
-- that far, and the longest back-off is 75 minutes. Locks: the change rows. Scans the log, as its neighbour
-- bury_crashed does.
UPDATE rowvec_internal.change SET visible_at = now()
WHERE visible_at > now() + greatest(interval '90 min', 2 * %(lease)s) AND visible_at < 'infinity'
