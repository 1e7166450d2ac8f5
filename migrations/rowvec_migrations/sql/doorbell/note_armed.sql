-- Is any daemon armed? 2: yes. A trigger asks a sequence, of which it reads one page: to ask the table of daemons
-- cost an INSERT of one row 7 us of CPU more (caches cold after the disk), and a transaction with an old snapshot saw
-- who slept at its beginning. Kept by whoever changes that table, one after the other until his commit, so each
-- counts what the others wrote. Who waits for longer than a moment waits for a frozen daemon (behind a pooler,
-- between a statement and its COMMIT), and says yes: a ring too many is harmless. A statement that changes no row
-- says it anew, too: after a crash of the server every daemon arms itself. Who is new is not armed.
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
