-- (Re)makes the trigger functions of a source, and its triggers where they are missing.
-- Locks: SHARE ROW EXCLUSIVE on the source's table when a trigger is made; none when only functions are replaced.
--
-- INSERT and DELETE: a statement trigger with a transition table, one log row per 512 keys. UPDATE: a row trigger whose WHEN
-- clause is tested in C, so an UPDATE of other columns costs next to nothing; a statement trigger that joins OLD and NEW took 33 s on
-- 20,000 rows, by a plan cached from a one-row update, and one with transition tables beside a list of columns PostgreSQL does not
-- allow, so it would burden each UPDATE. A partitioned table has row triggers only: statement triggers of the parent do not see a
-- direct write to a partition.
--
-- INSERT and DELETE are logged by statement: see _make_statement.
--
-- UPDATEs of the text are gathered: see _make_gather. Not in a partitioned table, whose WHEN is also evaluated for a row that moves, without
-- an event; nor where a key's text depends on the session, and so is made in the row's function. There it is
-- an event and a log row for each row (5,000 rows: 4.3x; an event 1.3x, the key read in its block 1.55x, all but the block 3.6x).
--
-- Column mode has a trigger more, for a vector that somebody else wrote (an ORM that writes every column back, an old vector
-- with them). AFTER UPDATE OF, so that nothing looks at the vectors when a statement does not name the column: tested in the
-- WHEN of the text's trigger, an UPDATE of another column of rows whose vector is in TOAST cost 2.0x (so: 1.02x). What a
-- BEFORE trigger does to the column is thereby not seen, but found by the recheck, by the checksum beside our hash.
-- `rowvec.writing` is set by our own statement; it does not trigger itself. Vectors are compared as bytes: an `=` would
-- have to be found on somebody's search_path.
--
-- A row trigger's function reads the key in a block of its own, which writes nothing and so takes no transaction number: where a RENAME or a
-- DROP has made the function wrong, it logs "recheck the whole source" and the user's statement goes on. A WHEN clause knows columns by number.
CREATE OR REPLACE FUNCTION rowvec_internal.install_triggers(p_source smallint) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
  s            rowvec_internal.source;
  v_partitioned boolean;
  v_settings   text;
  v_moved      text;
  v_changed    text;
  v_gather     boolean;
  v_simple     boolean;
  v_fixed      boolean;
  v_type       text;
  v_stem       text := format('rowvec_internal.source_%s', p_source);
  v_event      text;
  v_trigger    text;
  v_vector     text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  SELECT relkind = 'p' INTO STRICT v_partitioned FROM pg_catalog.pg_class WHERE oid = s.source_table;

  -- Types whose text depends on the session get fixed settings; the others are spared the cost of setting them.
  SELECT CASE WHEN bool_and(v.plain) THEN ''
    ELSE $s$ SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
             SET bytea_output = 'hex' SET lc_monetary = 'C'$s$ END,
    bool_and(v.plain AND t.typtype IN ('b', 'e')) AND NOT v_partitioned, bool_and(t.typname IN ('int2', 'int4', 'int8', 'uuid', 'bool')) AND count(*) = 1,
    bool_and(t.typlen > 0 AND t.typtype IN ('b', 'e')) AND count(*) = 1,
    CASE WHEN count(*) = 1 THEN min(format('%I.%I', n.nspname, t.typname)) ELSE format('rowvec_internal.source_%s_key', p_source) END
  INTO v_settings, v_gather, v_simple, v_fixed, v_type
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  CROSS JOIN LATERAL (SELECT t.typname IN ('int2', 'int4', 'int8', 'text', 'varchar', 'bpchar', 'uuid', 'bool', 'numeric', 'name', 'citext') OR t.typtype = 'e' AS plain) v
  WHERE a.attrelid = s.source_table AND a.attname = ANY (s.key_columns);

  SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') INTO v_moved FROM unnest(s.key_columns) c;
  -- Texts are compared byte by byte: to an equality of their type or collation, 'a' and 'A' may be the same. Without a word more than it takes: each statement reads the clause anew.
  SELECT v_moved || string_agg(format(CASE WHEN t.typname IN ('text', 'varchar') AND o.collisdeterministic THEN ' OR OLD.%1$I IS DISTINCT FROM NEW.%1$I'
      ELSE ' OR OLD.%1$I::text COLLATE "C" IS DISTINCT FROM NEW.%1$I::text COLLATE "C"' END, c.name), '' ORDER BY c.i) INTO v_changed
  FROM unnest(s.text_columns) WITH ORDINALITY c(name, i)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = s.source_table AND a.attname = c.name AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_collation o ON o.oid = a.attcollation;

  IF s.into_column IS NOT NULL THEN
    SELECT format('current_setting(''rowvec.writing'', true) IS DISTINCT FROM ''on'' AND %1$I.%2$I(OLD.%3$I) IS DISTINCT FROM %1$I.%2$I(NEW.%3$I) AND NOT (%4$s)',
                  n.nspname, p.proname, s.into_column, v_changed) INTO v_vector
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_proc p ON p.oid = t.typsend JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE a.attrelid = s.source_table AND a.attname = s.into_column AND NOT a.attisdropped;
  END IF;

  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION %1$s_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[%4$s];
          WHEN 'DELETE' THEN v_keys := ARRAY[%5$s];
          ELSE v_keys := CASE WHEN %6$s THEN ARRAY[%4$s, %5$s] ELSE ARRAY[%4$s] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (%3$s, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $t$;
    CREATE OR REPLACE FUNCTION %1$s_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (%3$s);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION %1$s_row(), %1$s_truncate() FROM PUBLIC;
  $q$, v_stem, v_settings, p_source,
       rowvec_internal.key_text('NEW', s.key_columns), rowvec_internal.key_text('OLD', s.key_columns), v_moved);
  IF NOT v_partitioned THEN
    PERFORM rowvec_internal.make_statement(p_source, v_settings, v_simple, v_fixed);
  END IF;
  IF v_gather THEN
    PERFORM rowvec_internal.make_gather(p_source, v_type, v_simple);
  END IF;

  FOR v_event, v_trigger IN VALUES
    ('update', CASE WHEN v_gather THEN
      format('AFTER UPDATE ON %1$s FOR EACH ROW WHEN ((%2$s) AND %3$s_gather(%4$s, %5$s)) EXECUTE FUNCTION %3$s_flush()', s.source_table, v_changed, v_stem,
             rowvec_internal.key_text('NEW', s.key_columns), rowvec_internal.key_text('OLD', s.key_columns))
      ELSE format('AFTER UPDATE ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %s_row()', s.source_table, v_changed, v_stem) END),
    ('vector', CASE WHEN v_vector IS NOT NULL THEN
      format('AFTER UPDATE OF %I ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %s_row()', s.into_column, s.source_table, v_vector, v_stem) END),
    ('truncate', format('AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s_truncate()', s.source_table, v_stem)),
    ('insert', format(CASE WHEN v_partitioned THEN 'AFTER INSERT OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION %s_row()'
      ELSE 'AFTER INSERT ON %s REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION %s_statement()' END, s.source_table, v_stem)),
    ('delete', CASE WHEN NOT v_partitioned THEN
      format('AFTER DELETE ON %s REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION %s_statement()', s.source_table, v_stem) END)
  LOOP
    IF v_trigger IS NOT NULL AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = s.source_table AND tgname = format('rowvec_%s_%s', p_source, v_event)
    ) THEN
      EXECUTE format('CREATE TRIGGER rowvec_%s_%s %s', p_source, v_event, v_trigger);
    END IF;
  END LOOP;
END $fn$;
