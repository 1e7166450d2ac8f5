-- Makes the function of a source's INSERTs and DELETEs, called once for each statement with all of its rows.
-- Locks: none.
--
-- What a one-row INSERT pays, in us of CPU beside 101 without a trigger (PostgreSQL 18, each commit waits for the disk, so caches are cold; server and
-- client on a core each, else migrations hide it): 19 to 24. A trigger that does nothing 6 to 10, one that only writes a log row of constants 15 to 20.
-- 26 to 34 with the key in a SELECT of its own, in a block with EXCEPTION, and who is armed from the table of daemons. Such a block is what
-- a RENAME of the key takes, and a statement that writes cannot be in one: each would take a transaction number, and after 64 of them every reader
-- looks them up in pg_subtrans. So, where the key is the table's first column and its text cannot fail, it is read by its place, under a name of ours,
-- together with the INSERT into the log. (If it is dropped, another column takes its place, and _follow forgets what was logged.)
-- Tried: no search_path of its own, all names qualified: 2.4 of then 19.6 less on warm caches, but each plan is made anew when a user changes his; RETURNING
-- who is armed: 1 more; SELECT INTO STRICT for the key: as much, but an exception for two rows; a row trigger: 3 less, but 2x in bulk.
--
-- A bulk INSERT of 40,000 rows, 47.9 ms: 1.40x with each key made text and numbered by a window function; 1.27x where keys have a
-- fixed length and are gathered in one array, cut up and then made text (of that 1.04x a trigger that does nothing). Not for others: the
-- n-th of an array of texts is found by walking (1.47x). Half a million at a time, since an array ends at 1 GB.
CREATE OR REPLACE FUNCTION rowvec_internal.make_statement(p_source smallint, p_settings text, p_simple boolean, p_fixed boolean) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s          rowvec_internal.source;
  v_direct   boolean;
  v_from     text := 'changed r';
  v_key      text;
  v_key_text text;
  v_window   text;
  v_bulk     text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  v_direct := p_simple AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_attribute WHERE attrelid = s.source_table AND attnum > 0 AND attnum < s.key_numbers[1] AND NOT attisdropped);
  IF v_direct THEN
    v_key := format('r."key of source %s"', p_source);
    v_key_text := v_key || '::text';
    v_from := format('changed r("key of source %s")', p_source);
  ELSE
    v_key := format('r.%I', s.key_columns[1]);
    v_key_text := rowvec_internal.key_text('r', s.key_columns);
  END IF;

  v_window := format($q$
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT %s, array_agg(k) FROM (SELECT %s AS k, (row_number() OVER () - 1) / 512 AS block FROM %s%%s) s GROUP BY block;$q$,
    p_source, replace(v_key_text, '%', '%%'), v_from);
  v_bulk := CASE WHEN p_fixed THEN format($q$
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT %s, k[g:g + 511]::text[]
        FROM (SELECT array_agg(k) AS k FROM (SELECT %s AS k FROM %s LIMIT 524288) r) a, generate_series(1, cardinality(k), 512) g;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows = 1024 THEN%s
        END IF;$q$, p_source, v_key, v_from, format(v_window, ' OFFSET 524288'))
    ELSE format(v_window, '') END;

  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION %1$s_statement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_key  text;
      v_more boolean;
      v_rows bigint;
    BEGIN%3$s
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION %1$s_statement() FROM PUBLIC;
  $q$, format('rowvec_internal.source_%s', p_source), p_settings, CASE WHEN v_direct THEN format($q$
      INSERT INTO rowvec_internal.change (source_id, keys) SELECT %s, ARRAY[%s] FROM %s WHERE NOT EXISTS (SELECT FROM changed OFFSET 1);
      GET DIAGNOSTICS v_rows = ROW_COUNT;
      IF v_rows = 0 OR pg_sequence_last_value('rowvec_internal.armed') = 2 THEN
        IF v_rows = 0 AND EXISTS (SELECT FROM changed) THEN%s
        END IF;
        IF v_rows > 0 THEN PERFORM rowvec_internal.ring(); END IF;
      END IF;$q$, p_source, v_key_text, v_from, v_bulk)
    ELSE format($q$
      BEGIN
        SELECT %s, EXISTS (SELECT FROM changed OFFSET 1) INTO v_key, v_more FROM %s;
        IF NOT FOUND THEN RETURN NULL; END IF;
      EXCEPTION WHEN OTHERS THEN
        v_more := false;
      END;
      IF v_more THEN%s
      ELSE
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (%s, CASE WHEN v_key IS NOT NULL THEN ARRAY[v_key] END);
      END IF;
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;$q$,
      v_key_text, v_from, v_bulk, p_source) END);
END $fn$;
