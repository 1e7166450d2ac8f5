-- (Re)makes the trigger functions of a source. Locks: none.
--
-- A row trigger's function reads the key in a block of its own, which writes nothing and so takes no transaction
-- number: where a RENAME or a DROP has made the function wrong, it logs "recheck the whole source" and the user's
-- statement goes on. Statements and gathered UPDATEs: see make_statement and make_gather.
CREATE OR REPLACE FUNCTION rowvec_internal.make_functions(p_source smallint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s       rowvec_internal.source;
  f       record := rowvec_internal.key_facts(p_source);
  v_moved text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  PERFORM set_config('search_path', rowvec_internal.key_path(s.source_table, s.key_columns), true);
  SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') INTO v_moved FROM unnest(s.key_columns) c;

  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[%3$s];
          WHEN 'DELETE' THEN v_keys := ARRAY[%4$s];
          ELSE v_keys := CASE WHEN %5$s THEN ARRAY[%3$s, %4$s] ELSE ARRAY[%3$s] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (%1$s, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT
        FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $t$;
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (%1$s);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION rowvec_internal.source_%1$s_row(), rowvec_internal.source_%1$s_truncate() FROM PUBLIC;
  $q$, p_source, f.settings, rowvec_internal.key_text('NEW', s.key_columns), rowvec_internal.key_text('OLD',
    s.key_columns),
       v_moved);
  IF NOT f.partitioned THEN
    PERFORM rowvec_internal.make_statement(p_source, f.settings, f.simple, f.fixed);
  END IF;
  IF f.gathers THEN
    PERFORM rowvec_internal.make_gather(p_source, f.key_type, f.simple);
  END IF;
END $fn$;
