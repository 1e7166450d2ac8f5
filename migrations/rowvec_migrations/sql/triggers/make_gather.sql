-- Makes the two functions by which UPDATEs of a source's texts are logged: `_gather` in the WHEN clause of the trigger, and `_flush`.
-- Locks: none.
--
-- An UPDATE of the text of 5,000 rows costs 1.75x to 1.86x, and 3.9x to 4.3x with an event and a log row for each of them. The WHEN clause itself
-- gathers the keys, in a setting that ends with the transaction and goes back with a savepoint, as the rows do. It is
-- evaluated while the statement runs, after each row, and is true for the first one only: that event, fired at the
-- statement's end, logs what was gathered. What is longer than a thousand bytes is logged at once, since a setting is copied
-- when it grows (all in C: 512 bytes 1.46x, 4,000 1.7x; but such a clause is read anew by each statement: 10 us for one row,
-- which with a function costs 2 us less than before). No statement trigger takes part: it holds wherever row triggers fire, in replication too.
--
-- The setting: empty, no event is queued; ';' and keys after it, one is, and what came before them is in the log. An event that finds it empty
-- knows that somebody emptied it meanwhile (RESET ALL in a user's function): then the whole source is rechecked. On
-- purpose, who may UPDATE a row can in the same statement hide the change from us until the daily recheck, and whoever may use our
-- schema can have rows looked at again. What is no key becomes a recheck: a claim would fail on it.
CREATE OR REPLACE FUNCTION rowvec_internal.make_gather(p_source smallint, p_type text, p_simple boolean) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION %1$s_gather(p_new text, p_old text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    DECLARE
      v_text text := current_setting('%2$s', true);
      v_new  text := %3$s;
      v_keys text[];
    BEGIN
      IF p_old IS DISTINCT FROM p_new THEN
        v_new := v_new || ',' || %4$s;
      END IF;
      IF v_text <> '' THEN
        v_text := set_config('%2$s', v_text || ',' || v_new, true);
        IF octet_length(v_text) > 1000 THEN%5$s
          v_text := set_config('%2$s', ';', true);
        END IF;
        RETURN false;
      END IF;
      v_text := set_config('%2$s', v_new, true);
      RETURN true;
    END $t$;
    CREATE OR REPLACE FUNCTION %1$s_flush() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    DECLARE
      v_text text := nullif(current_setting('%2$s', true), '');
      v_keys text[];
    BEGIN
      IF v_text IS DISTINCT FROM ';' THEN%5$s
      END IF;
      v_text := set_config('%2$s', '', true);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $t$;
    GRANT EXECUTE ON FUNCTION %1$s_gather(text, text) TO PUBLIC;
    REVOKE EXECUTE ON FUNCTION %1$s_flush() FROM PUBLIC;
  $q$, format('rowvec_internal.source_%s', p_source), format('rowvec.changed_%s', p_source),
       CASE WHEN p_simple THEN 'coalesce(p_new, '''')' ELSE 'coalesce(to_json(p_new)::text, '''')' END,
       CASE WHEN p_simple THEN 'coalesce(p_old, '''')' ELSE 'coalesce(to_json(p_old)::text, '''')' END,
       format($q$
        BEGIN
          v_keys := nullif(%s::%s[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (%s, v_keys);$q$,
         CASE WHEN p_simple THEN 'string_to_array(ltrim(v_text, '';,''), '','')'
           ELSE 'ARRAY(SELECT json_array_elements_text((''['' || ltrim(v_text, '';,'') || '']'')::json))' END, p_type, p_source));
END $fn$;
