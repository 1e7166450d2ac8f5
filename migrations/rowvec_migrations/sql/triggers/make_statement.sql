-- Makes the function of a source's INSERTs and DELETEs, called once for each statement with all of its rows.
-- Locks: none. Called by make_functions.
--
-- One row: 19 to 24 us of CPU beside 101 without a trigger (PostgreSQL 18, each commit waits for the disk). A RENAME
-- of the key column makes such a function wrong, which a block with EXCEPTION would survive; but one that writes
-- takes a transaction number, and after 64 of them every reader looks them up in pg_subtrans. So, where the key is
-- the table's first column and its text cannot fail, it is read by its place, under a name of ours, together with the
-- INSERT into the log. (If that column is dropped, another takes its place, and follow() forgets what was logged.)
-- Elsewhere the key is read by a SELECT of its own in a block that does not write: 26 to 34 us.
--
-- Many rows: an INSERT of 40,000 costs 1.27x where keys have a fixed length and are gathered in one array, cut up and
-- then made text; 1.40x elsewhere, with each key made text and numbered by a window function, since the n-th of an
-- array of texts is found by walking. Half a million at a time, because an array ends at 1 GB.
CREATE OR REPLACE FUNCTION rowvec_internal.make_statement(
  p_source smallint, p_settings text, p_simple boolean, p_fixed boolean
) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s          rowvec_internal.source;
  v_direct   boolean;   -- the key is read by its place
  v_from     text := 'changed r';
  v_key      text;
  v_key_text text;
  v_window   text;      -- logs all rows, or those after an offset
  v_bulk     text;      -- logs a statement of many rows
  v_body     text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  v_direct := p_simple AND NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = s.source_table AND attnum > 0 AND attnum < s.key_numbers[1] AND NOT attisdropped);
  IF v_direct THEN
    v_key := format('r."key of source %s"', p_source);
    v_key_text := v_key || '::text';
    v_from := format('changed r("key of source %s")', p_source);
  ELSE
    v_key := format('r.%I', s.key_columns[1]);
    v_key_text := rowvec_internal.key_text('r', s.key_columns);
  END IF;

  v_window := $q$
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT %1$s, array_agg(k)
        FROM (SELECT %2$s AS k, (row_number() OVER () - 1) / 512 AS block FROM %3$s%4$s) s GROUP BY block;$q$;
  IF p_fixed THEN
    v_bulk := format($q$
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT %1$s, k[g:g + 511]::text[]
        FROM (SELECT array_agg(k) AS k FROM (SELECT %2$s AS k FROM %3$s LIMIT 524288) r) a,
             generate_series(1, cardinality(k), 512) g;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows = 1024 THEN%4$s
        END IF;$q$, p_source, v_key, v_from, format(v_window, p_source, v_key_text, v_from, ' OFFSET 524288'));
  ELSE
    v_bulk := format(v_window, p_source, v_key_text, v_from, '');
  END IF;

  IF v_direct THEN
    v_body := format($q$
      INSERT INTO rowvec_internal.change (source_id, keys)
      SELECT %1$s, ARRAY[%2$s] FROM %3$s WHERE NOT EXISTS (SELECT FROM changed OFFSET 1);
      GET DIAGNOSTICS v_rows = ROW_COUNT;
      IF v_rows = 0 OR pg_sequence_last_value('rowvec_internal.armed') = 2 THEN
        IF v_rows = 0 AND EXISTS (SELECT FROM changed) THEN%4$s
        END IF;
        IF v_rows > 0 THEN PERFORM rowvec_internal.ring(); END IF;
      END IF;$q$, p_source, v_key_text, v_from, v_bulk);
  ELSE
    v_body := format($q$
      BEGIN
        SELECT %2$s, EXISTS (SELECT FROM changed OFFSET 1) INTO v_key, v_more FROM %3$s;
        IF NOT FOUND THEN RETURN NULL; END IF;
      EXCEPTION WHEN OTHERS THEN
        v_more := false;
      END;
      IF v_more THEN%4$s
      ELSE
        INSERT INTO rowvec_internal.change (source_id, keys)
        VALUES (%1$s, CASE WHEN v_key IS NOT NULL THEN ARRAY[v_key] END);
      END IF;
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;$q$,
      p_source, v_key_text, v_from, v_bulk);
  END IF;
  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_statement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_key  text;
      v_more boolean;
      v_rows bigint;
    BEGIN%3$s
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION rowvec_internal.source_%1$s_statement() FROM PUBLIC;
  $q$, p_source, p_settings, v_body);
END $fn$;
