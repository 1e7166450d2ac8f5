-- (Re)makes the trigger functions of a source, and its triggers where they are missing.
-- Locks: SHARE ROW EXCLUSIVE on the source's table when a trigger is made; none when only functions are replaced.
--
-- INSERT and DELETE: a statement trigger with a transition table, one log row per 512 keys. UPDATE: a row trigger whose WHEN
-- clause is tested in C, so an UPDATE of other columns costs next to nothing; a statement trigger that joins OLD and NEW took 33 s on
-- 20,000 rows, by a plan cached from a one-row update, and one with transition tables beside a list of columns PostgreSQL does not
-- allow, so it would burden each UPDATE. A partitioned table has row triggers only: statement triggers of the parent do not see a
-- direct write to a partition.
--
-- What a one-row INSERT pays, in us of CPU beside 19.3 without a trigger (PostgreSQL 17, least of a busy machine): 19.6, before that 23.0. A trigger
-- that does nothing 2.4 to 3.0, the INSERT into the log 7.3 (of that its index 2.3, the sequence 3.0), who is armed 3 to 4, the key 2.5 to 4, the block
-- with EXCEPTION 1.1 to 2. Taken: a scalar for the key instead of an array made by an aggregate, who is armed in the same SELECT. Tried:
-- no search_path of its own, all names qualified: 2.4 less, but each plan is made anew when a user changes his; log and key
-- in one statement 18.3 without the block, which a statement that writes cannot have (each takes a transaction number, and after 64 of them every reader
-- looks them up in pg_subtrans); RETURNING who is armed: 2 more; SELECT INTO STRICT 18.2, but an exception for two rows; a row trigger 15.7, but 2x in bulk.
--
-- Where each commit waits for the disk, caches are cold, and all of it three times as much: 1.22x to 1.23x (1.26x to 1.29x before), a trigger that
-- does nothing 1.06x, one that only writes into the log 1.14x, without the block 0.01x to 0.02x less, without asking who is armed or a search_path the same.
--
-- A bulk INSERT of 40,000 rows, 47.9 ms: 1.40x with each key made text and numbered by a window function; 1.27x where keys have a
-- fixed length and are gathered in one array, cut up and then made text (of that 1.04x a trigger that does nothing). Not for others: the
-- n-th of an array of texts is found by walking (1.47x). Half a million at a time, since an array ends at 1 GB.
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
-- The key is read in a block of its own, which writes nothing and so takes no transaction id: where a RENAME or a DROP
-- has made the function wrong, it logs "recheck the whole source" and the user's statement goes on. A WHEN clause knows columns by number.
CREATE FUNCTION rowvec._install_triggers(p_source smallint) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
  s            rowvec.source;
  v_partitioned boolean;
  v_settings   text;
  v_same       text;
  v_changed    text;
  v_gather     boolean;
  v_simple     boolean;
  v_fixed      boolean;
  v_type       text;
  v_window     text;
  v_bulk       text;
  v_stem       text := format('rowvec.source_%s', p_source);
  v_log        text;
  v_event      text;
  v_trigger    text;
  v_vector     text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec.source WHERE id = p_source;
  SELECT relkind = 'p' INTO STRICT v_partitioned FROM pg_catalog.pg_class WHERE oid = s.source_table;

  -- Types whose text depends on the session get fixed settings; the others are spared the cost of setting them.
  SELECT CASE WHEN bool_and(v.plain) THEN ''
    ELSE $s$ SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
             SET bytea_output = 'hex' SET lc_monetary = 'C'$s$ END,
    bool_and(v.plain AND t.typtype IN ('b', 'e')) AND NOT v_partitioned, bool_and(t.typname IN ('int2', 'int4', 'int8', 'uuid', 'bool')) AND count(*) = 1,
    bool_and(t.typlen > 0 AND t.typtype IN ('b', 'e')) AND count(*) = 1,
    CASE WHEN count(*) = 1 THEN min(format('%I.%I', n.nspname, t.typname)) ELSE format('rowvec.source_%s_key', p_source) END
  INTO v_settings, v_gather, v_simple, v_fixed, v_type
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  CROSS JOIN LATERAL (SELECT t.typname IN ('int2', 'int4', 'int8', 'text', 'varchar', 'bpchar', 'uuid', 'bool', 'numeric', 'name', 'citext') OR t.typtype = 'e' AS plain) v
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
  v_window := format($q$
        INSERT INTO rowvec.change (source_id, keys)
        SELECT %s, array_agg(k) FROM (SELECT %s AS k, (row_number() OVER () - 1) / 512 AS block FROM %%s) s GROUP BY block;$q$,
    p_source, replace(rowvec._key_text('r', s.key_columns), '%', '%%'));
  v_bulk := CASE WHEN v_fixed THEN format($q$
        INSERT INTO rowvec.change (source_id, keys)
        SELECT %s, k[g:g + 511]::text[]
        FROM (SELECT array_agg(k) AS k FROM (SELECT r.%I AS k FROM changed r LIMIT 524288) r) a, generate_series(1, cardinality(k), 512) g;
        GET DIAGNOSTICS v_blocks = ROW_COUNT;
        IF v_blocks = 1024 THEN%s
        END IF;$q$, p_source, s.key_columns[1], format(v_window, '(SELECT * FROM changed OFFSET 524288) r'))
    ELSE format(v_window, 'changed r') END;

  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION %1$s_statement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_key    text;
      v_more   boolean;
      v_ring   boolean;
      v_blocks bigint;
    BEGIN
      BEGIN
        SELECT %3$s, EXISTS (SELECT FROM changed OFFSET 1), EXISTS (SELECT FROM rowvec.worker WHERE armed)
        INTO v_key, v_more, v_ring FROM changed r;
        IF NOT FOUND THEN RETURN NULL; END IF;
      EXCEPTION WHEN OTHERS THEN
        v_ring := true;
      END;
      IF v_more THEN%9$s
      ELSE
        INSERT INTO rowvec.change (source_id, keys) VALUES (%5$s, CASE WHEN v_key IS NOT NULL THEN ARRAY[v_key] END);
      END IF;
      IF v_ring THEN PERFORM rowvec.ring(); END IF;
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
       rowvec._key_text('NEW', s.key_columns), rowvec._key_text('OLD', s.key_columns), v_same, v_bulk);
  IF v_gather THEN
    PERFORM rowvec._make_gather(p_source, v_type, v_simple);
  END IF;

  FOR v_event, v_trigger IN VALUES
    ('update', CASE WHEN v_gather THEN
      format('AFTER UPDATE ON %1$s FOR EACH ROW WHEN ((%2$s) AND %3$s_gather(%4$s, %5$s)) EXECUTE FUNCTION %3$s_flush()', s.source_table, v_changed, v_stem,
             rowvec._key_text('NEW', s.key_columns), rowvec._key_text('OLD', s.key_columns))
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
