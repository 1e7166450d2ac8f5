-- Purpose: is there anything that `daemon --once` should still do: held by it, or due now? Index: change_pkey.
SELECT EXISTS (SELECT FROM rowvec_internal.change
               WHERE source_id = ANY (%(sources)s::smallint[]) AND (daemon_id = %(daemon)s OR visible_at <= now()))
