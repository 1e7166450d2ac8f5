-- Keeps sequence `armed` at 2 while any daemon is armed, at 1 otherwise. A trigger asks the sequence, which is one
-- page: to ask the table of daemons cost a one-row INSERT 7 us of CPU more, and a transaction with an old snapshot
-- saw who was armed at its beginning. Every statement that changes table daemon runs this, one after the other until
-- its commit, so each counts what the others wrote. After 100 ms of waiting (a daemon that was frozen between a
-- statement and its COMMIT, behind a pooler) it says 2: a ring too many does no harm. Also run by a statement that
-- changes no row: after a crash of the server every daemon arms itself. A new daemon is not armed. Locks: an advisory
-- lock until the commit.
CREATE OR REPLACE FUNCTION rowvec_internal.note_armed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
  v_armed bigint := 2;
BEGIN
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('rowvec_internal.armed', 0));
    v_armed := CASE WHEN EXISTS (SELECT FROM rowvec_internal.daemon WHERE armed) THEN 2 ELSE 1 END;
  EXCEPTION WHEN lock_not_available THEN NULL;
  END;
  IF pg_sequence_last_value('rowvec_internal.armed') IS DISTINCT FROM v_armed THEN
    PERFORM setval('rowvec_internal.armed', v_armed);
  END IF;
  RETURN NULL;
END $$;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'rowvec_internal.daemon'::regclass AND tgname = 'note_armed')
    THEN
    CREATE TRIGGER note_armed AFTER UPDATE OF armed OR DELETE OR TRUNCATE ON rowvec_internal.daemon
    EXECUTE FUNCTION rowvec_internal.note_armed();
    ALTER TABLE rowvec_internal.daemon ENABLE ALWAYS TRIGGER note_armed;
  END IF;
END $$;
