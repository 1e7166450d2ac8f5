-- Purpose: the backfill of a source, if it is running and no other daemon works on it. Locks: its row (SKIP LOCKED).
SELECT phase, recheck, cursor_key FROM rowvec_internal.backfill WHERE source_id = %(source)s
  AND phase <> 'done' FOR UPDATE SKIP LOCKED
