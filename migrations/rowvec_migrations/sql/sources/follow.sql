-- Makes a source follow renamed columns, other columns of the old names, and changed key types. Locks: ACCESS
-- EXCLUSIVE on the vector table when a key column was renamed or retyped; ACCESS EXCLUSIVE on the source's table when
-- a name now means another column. Called by resolve.
CREATE OR REPLACE FUNCTION rowvec_internal.follow(p_source smallint, p_names name[], p_numbers smallint[],
  p_types text[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s          rowvec_internal.source;
  v_old      name[];
  v_template text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  v_old := s.key_columns || s.text_columns;
  v_template := s.template;
  FOR i IN 1 .. cardinality(v_old) LOOP
    CONTINUE WHEN p_names[i] = v_old[i];
    v_template := replace(v_template, '{' || v_old[i] || '}', '{' || p_names[i] || '}');
    IF i <= cardinality(s.key_columns) THEN
      EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', s.vector_table, v_old[i], p_names[i]);
      IF cardinality(s.key_columns) > 1 THEN
        EXECUTE format('ALTER TYPE rowvec_internal.source_%s_key RENAME ATTRIBUTE %I TO %I', p_source, v_old[i],
          p_names[i]);
      END IF;
    END IF;
  END LOOP;
  FOR i IN 1 .. cardinality(s.key_columns) LOOP
    CONTINUE WHEN p_types[i] = s.key_types[i];
    EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::text::%3$s', s.vector_table, p_names[i],
      p_types[i]);
    IF cardinality(s.key_columns) > 1 THEN
      EXECUTE format('ALTER TYPE rowvec_internal.source_%s_key ALTER ATTRIBUTE %I TYPE %s', p_source, p_names[i],
        p_types[i]);
    END IF;
  END LOOP;
  UPDATE rowvec_internal.source SET key_columns = p_names[:cardinality(s.key_columns)],
    text_columns = p_names[cardinality(s.key_columns) + 1:],
    key_numbers = p_numbers[:cardinality(s.key_columns)], text_numbers = p_numbers[cardinality(s.key_columns) + 1:],
    key_types = p_types, template = v_template WHERE id = p_source;
  IF s.state <> 'paused' THEN
    -- other columns by these names: WHEN still tests the old ones
    IF p_numbers <> s.key_numbers || s.text_numbers THEN
      PERFORM rowvec_internal.drop_triggers(p_source);
    END IF;
    PERFORM rowvec_internal.install_triggers(p_source);
  END IF;
  -- triggers have read another column in its place; every row is compared anyway
  IF p_numbers[:cardinality(s.key_columns)] <> s.key_numbers THEN
    DELETE FROM rowvec_internal.change WHERE source_id = p_source;
  END IF;
END $fn$;
