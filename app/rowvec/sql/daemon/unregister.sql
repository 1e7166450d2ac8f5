-- Purpose: a graceful stop.
DELETE FROM rowvec_internal.daemon WHERE id = %(daemon)s
