-- Purpose: remember how far a backfill is, in the transaction that logged its keys.
UPDATE rowvec_internal.backfill SET phase = %(phase)s, cursor_key = %(cursor)s, enqueued = enqueued + %(enqueued)s,
  done_at = CASE WHEN %(phase)s = 'done' THEN clock_timestamp() END
WHERE source_id = %(source)s
