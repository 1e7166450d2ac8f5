-- Purpose: one housekeeper at a time; the lock ends with the transaction, so it is good behind a pooler too.
SELECT pg_try_advisory_xact_lock(hashtextextended('rowvec.housekeeping', 0))
