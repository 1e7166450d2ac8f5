-- Purpose: a graceful stop.
DELETE FROM rowvec.worker WHERE id = %(worker)s
