-- Makes the two functions by which UPDATEs of a source's texts are logged: `gather` in the WHEN clause of the
-- trigger, and `flush`. Locks: none. Called by make_functions.
--
-- The WHEN clause itself gathers the keys: it is evaluated after each row while the statement runs, adds the row's
-- key to a setting, and is true for the first row only. That one event, fired at the statement's end, logs what was
-- gathered. The setting ends with the transaction and goes back with a savepoint, as the rows do. An UPDATE of the
-- text of 5,000 rows so costs 1.75x to 1.86x; with an event and a log row for each row it was 3.9x to 4.3x. At a
-- thousand bytes the keys are logged at once, since a setting is copied when it grows. No statement trigger takes
-- part: it holds wherever row triggers fire, in replication too.
--
-- The setting is empty: no event is queued. It begins with ';': an event is queued, and the keys before it are in the
-- log. An event that finds it empty knows that somebody emptied it meanwhile (RESET ALL in a user's function); then
-- the whole source is rechecked, as it is for anything in the setting that is no key. Whoever may UPDATE a row can on
-- purpose hide that change in the same statement, until the daily recheck; whoever may use our schema can have rows
-- looked at again.
CREATE OR REPLACE FUNCTION rowvec_internal.make_gather(p_source smallint, p_type text, p_simple boolean)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_setting text := format('rowvec.changed_%s', p_source);
  v_new     text := CASE WHEN p_simple THEN 'coalesce(p_new, '''')' ELSE 'coalesce(to_json(p_new)::text, '''')' END;
  v_old     text := CASE WHEN p_simple THEN 'coalesce(p_old, '''')' ELSE 'coalesce(to_json(p_old)::text, '''')' END;
  v_split   text := CASE WHEN p_simple THEN 'string_to_array(ltrim(v_text, '';,''), '','')'
                    ELSE 'ARRAY(SELECT json_array_elements_text((''['' || ltrim(v_text, '';,'') || '']'')::json))' END;
  v_log     text;
BEGIN
  v_log := format($q$
        BEGIN
          v_keys := nullif(%s::%s[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (%s, v_keys);$q$, v_split, p_type, p_source);
  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_gather(p_new text, p_old text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
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
    -- the WHEN clause runs as the user
    GRANT EXECUTE ON FUNCTION rowvec_internal.source_%1$s_gather(text, text) TO PUBLIC;
  $q$, p_source, v_setting, v_new, v_old, v_log);
  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_flush() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    DECLARE
      v_text text := nullif(current_setting('%2$s', true), '');
      v_keys text[];
    BEGIN
      IF v_text IS DISTINCT FROM ';' THEN%3$s
      END IF;
      v_text := set_config('%2$s', '', true);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION rowvec_internal.source_%1$s_flush() FROM PUBLIC;
  $q$, p_source, v_setting, v_log);
END $fn$;
