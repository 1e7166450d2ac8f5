-- (Re)makes the trigger functions of a source, and its triggers where they are missing.
-- Locks: SHARE ROW EXCLUSIVE on the source's table when a trigger is made; none when only functions are replaced.
--
-- INSERT and DELETE: a statement trigger with a transition table, one log row per 512 keys (a bulk INSERT of 40,000
-- narrow rows: 1.44x; one log row per key: 2.1x). UPDATE: a row trigger whose WHEN clause is tested in C, so an
-- UPDATE of other columns costs nothing (33 ms against 37 ms without); a statement trigger that joins OLD and NEW took
-- 33 s on 20,000 rows, by a plan cached from a one-row update. A partitioned table has row triggers only: statement
-- triggers of the parent do not see a direct write to a partition.
--
-- A text UPDATE of 5,000 rows of three columns costs 4.1x, 41 ms against 10 (4.7x when each row looks who is armed, instead
-- of the first of its transaction). Of that, of an alone machine: a row trigger that does nothing 1.3x, the key read in its
-- block 1.55x, all but the block 3.6x, without a search_path of its own 4.0x: it is the INSERT, 4 us a row, and whoever is to
-- know of a row later must write it down. Tried: collecting keys in a setting, flushed by a statement trigger: 2.6x, but a statement trigger on
-- every UPDATE, keys lost where only row triggers fire (replication), and a place where any user could put keys.
-- Transition tables are not allowed beside a list of columns, so a statement trigger that has them would burden each UPDATE.
-- A bulk INSERT of 40,000 rows: 1.4x; with keys gathered as bigint[], cut up and then made text: 1.23x, for such keys only;
-- one array of texts, cut up: 1.45x.
--
-- Column mode has a trigger more, for a vector that somebody else wrote (an ORM that writes every column back, an old vector
-- with them). AFTER UPDATE OF, so that nothing looks at the vectors when a statement does not name the column: tested in the
-- WHEN of the text's trigger, an UPDATE of another column of rows whose vector is in TOAST cost 2.0x (so: 1.02x). What a
-- BEFORE trigger does to the column is thereby not seen, but found by the recheck, by the checksum beside our hash.
-- `rowvec.writing` is set by our own statement; it does not trigger itself. Vectors are compared as bytes: an `=` would
-- have to be found on somebody's search_path.
--
-- The key is read in a block of its own, which writes nothing and so takes no transaction id: where a RENAME or a DROP
-- has made the function wrong, it logs "recheck the whole source" and the user's statement goes on.
CREATE FUNCTION rowvec._install_triggers(p_source smallint) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
  s            rowvec.source;
  v_partitioned boolean;
  v_settings   text;
  v_same       text;
  v_changed    text;
  v_stem       text := format('rowvec.source_%s', p_source);
  v_log        text;
  v_event      text;
  v_trigger    text;
  v_vector     text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec.source WHERE id = p_source;
  SELECT relkind = 'p' INTO STRICT v_partitioned FROM pg_catalog.pg_class WHERE oid = s.source_table;

  -- Types whose text depends on the session get fixed settings; the others are spared the cost of setting them.
  SELECT CASE WHEN bool_and(t.typname IN ('int2', 'int4', 'int8', 'text', 'varchar', 'bpchar', 'uuid', 'bool', 'numeric',
                                          'name', 'citext') OR t.typtype = 'e') THEN ''
    ELSE $s$ SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
             SET bytea_output = 'hex' SET lc_monetary = 'C'$s$ END
  INTO v_settings
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = s.source_table AND a.attname = ANY (s.key_columns);

  -- Texts are compared byte by byte: to an equality of their type or collation, 'a' and 'A' may be the same.
  SELECT string_agg(format('OLD.%1$I IS NOT DISTINCT FROM NEW.%1$I', c), ' AND ') INTO v_same FROM unnest(s.key_columns) c;
  SELECT format('NOT (%s) OR ', v_same) || string_agg(format('OLD.%1$I::text COLLATE "C" IS DISTINCT FROM NEW.%1$I::text COLLATE "C"', c), ' OR ')
    INTO v_changed FROM unnest(s.text_columns) c;

  IF s.into_column IS NOT NULL THEN
    SELECT format('current_setting(''rowvec.writing'', true) IS DISTINCT FROM ''on'' AND %1$I.%2$I(OLD.%3$I) IS DISTINCT FROM %1$I.%2$I(NEW.%3$I) AND NOT (%4$s)',
                  n.nspname, p.proname, s.into_column, v_changed) INTO v_vector
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_proc p ON p.oid = t.typsend JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE a.attrelid = s.source_table AND a.attname = s.into_column AND NOT a.attisdropped;
  END IF;

  v_log := format($q$
      INSERT INTO rowvec.change (source_id, keys) VALUES (%s, v_keys);
      IF EXISTS (SELECT FROM rowvec.worker WHERE armed) THEN PERFORM rowvec.ring(); END IF;$q$, p_source);

  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION %1$s_statement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        SELECT array_agg(k) INTO v_keys FROM (SELECT %3$s AS k FROM changed r LIMIT 513) s;
        IF v_keys IS NULL THEN RETURN NULL; END IF;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      IF cardinality(v_keys) = 513 THEN
        INSERT INTO rowvec.change (source_id, keys)
        SELECT %5$s, array_agg(k) FROM (SELECT %3$s AS k, (row_number() OVER () - 1) / 512 AS block FROM changed r) s GROUP BY block;
        PERFORM rowvec.ring();
        RETURN NULL;
      END IF;%4$s
      RETURN NULL;
    END $t$;
    CREATE OR REPLACE FUNCTION %1$s_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[%6$s];
          WHEN 'DELETE' THEN v_keys := ARRAY[%7$s];
          ELSE v_keys := CASE WHEN %8$s THEN ARRAY[%6$s] ELSE ARRAY[%6$s, %7$s] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec.change (source_id, keys) VALUES (%5$s, v_keys);
      IF current_setting('rowvec.rung', true) IS DISTINCT FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec.ring();
      END IF;
      RETURN NULL;
    END $t$;
    CREATE OR REPLACE FUNCTION %1$s_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    DECLARE
      v_keys text[] := NULL;
    BEGIN%4$s
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION %1$s_statement(), %1$s_row(), %1$s_truncate() FROM PUBLIC;
  $q$, v_stem, v_settings, rowvec._key_text('r', s.key_columns), v_log, p_source,
       rowvec._key_text('NEW', s.key_columns), rowvec._key_text('OLD', s.key_columns), v_same);

  FOR v_event, v_trigger IN VALUES
    ('update', format('AFTER UPDATE ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %s_row()', s.source_table, v_changed, v_stem)),
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
