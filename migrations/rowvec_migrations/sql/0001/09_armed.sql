-- Is any daemon armed? 2: yes. A trigger asks a sequence, of which it reads one page: to ask the table of daemons cost an INSERT of one row 7 us of
-- CPU more (caches cold after the disk), and a transaction with an old snapshot saw who slept at its beginning.
-- Kept by whoever changes that table, one after the other until his commit, so each counts what the others wrote. Who waits for longer than
-- a moment waits for a frozen daemon (behind a pooler, between a statement and its COMMIT), and says yes: a ring too many is harmless. A
-- statement that changes no row says it anew, too: after a crash of the server every daemon arms itself. Who is new is not armed.
CREATE SEQUENCE rowvec.armed MINVALUE 1 MAXVALUE 2;
CREATE FUNCTION rowvec._note_armed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
  v_armed bigint := 2;
BEGIN
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('rowvec.armed', 0));
    v_armed := CASE WHEN EXISTS (SELECT FROM rowvec.worker WHERE armed) THEN 2 ELSE 1 END;
  EXCEPTION WHEN lock_not_available THEN NULL;
  END;
  IF pg_sequence_last_value('rowvec.armed') IS DISTINCT FROM v_armed THEN
    PERFORM setval('rowvec.armed', v_armed);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER note_armed AFTER UPDATE OF armed OR DELETE OR TRUNCATE ON rowvec.worker EXECUTE FUNCTION rowvec._note_armed();
ALTER TABLE rowvec.worker ENABLE ALWAYS TRIGGER note_armed;
