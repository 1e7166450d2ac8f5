-- Holds a source against the system catalogue: follows renamed columns and changed key types, remakes the trigger
-- functions then, and says in state and problem what is wrong. Raises nothing: drift is reported, not fatal.
-- A column is found by its name, else by its number: a restore keeps the names, a RENAME keeps the numbers.
-- Locks: none when nothing has changed; ACCESS EXCLUSIVE on the vector table when a key column was renamed or retyped.
CREATE FUNCTION rowvec._resolve(p_source smallint) RETURNS text LANGUAGE plpgsql AS $fn$
DECLARE
  s          rowvec.source;
  v_kind     "char";
  v_problem  text;
  v_names    name[];
  v_old      name[];
  v_numbers  smallint[];
  v_types    text[];
  v_missing  name;
  v_template text;
  v_state    text;
BEGIN
  SELECT * INTO s FROM rowvec.source WHERE id = p_source;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT relkind INTO v_kind FROM pg_catalog.pg_class WHERE oid = s.source_table;
  v_old := s.key_columns || s.text_columns;
  SELECT array_agg(coalesce(n.attname, m.attname) ORDER BY c.i), array_agg(coalesce(n.attnum, m.attnum) ORDER BY c.i),
         (array_agg(format_type(coalesce(n.atttypid, m.atttypid), coalesce(n.atttypmod, m.atttypmod)) ORDER BY c.i))[:cardinality(s.key_columns)],
         (array_agg(c.name ORDER BY c.i) FILTER (WHERE coalesce(n.attname, m.attname) IS NULL))[1]
    INTO v_names, v_numbers, v_types, v_missing
  FROM unnest(v_old, s.key_numbers || s.text_numbers) WITH ORDINALITY c(name, number, i)
  LEFT JOIN pg_catalog.pg_attribute n ON n.attrelid = s.source_table AND n.attname = c.name AND NOT n.attisdropped
  LEFT JOIN pg_catalog.pg_attribute m ON m.attrelid = s.source_table AND m.attnum = c.number AND NOT m.attisdropped;

  IF v_kind IS NULL THEN
    v_problem := 'its table is gone: unwatch it';
  ELSIF v_missing IS NOT NULL THEN
    v_problem := format('column "%s" is gone: unwatch the source, or watch other columns', v_missing);
  ELSE
    IF v_names <> v_old OR v_numbers <> s.key_numbers || s.text_numbers OR v_types <> s.key_types THEN
      v_template := s.template;
      FOR i IN 1 .. cardinality(v_old) LOOP
        CONTINUE WHEN v_names[i] = v_old[i];
        v_template := replace(v_template, '{' || v_old[i] || '}', '{' || v_names[i] || '}');
        IF i <= cardinality(s.key_columns) THEN
          EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', s.vector_table, v_old[i], v_names[i]);
          IF cardinality(s.key_columns) > 1 THEN
            EXECUTE format('ALTER TYPE rowvec.source_%s_key RENAME ATTRIBUTE %I TO %I', p_source, v_old[i], v_names[i]);
          END IF;
        END IF;
      END LOOP;
      FOR i IN 1 .. cardinality(s.key_columns) LOOP
        CONTINUE WHEN v_types[i] = s.key_types[i];
        EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::text::%3$s', s.vector_table, v_names[i], v_types[i]);
        IF cardinality(s.key_columns) > 1 THEN
          EXECUTE format('ALTER TYPE rowvec.source_%s_key ALTER ATTRIBUTE %I TYPE %s', p_source, v_names[i], v_types[i]);
        END IF;
      END LOOP;
      UPDATE rowvec.source SET key_columns = v_names[:cardinality(s.key_columns)], text_columns = v_names[cardinality(s.key_columns) + 1:],
        key_numbers = v_numbers[:cardinality(s.key_columns)], text_numbers = v_numbers[cardinality(s.key_columns) + 1:],
        key_types = v_types, template = v_template WHERE id = p_source;
      IF s.state <> 'paused' THEN
        PERFORM rowvec._install_triggers(p_source);
      END IF;
    END IF;
    IF NOT has_table_privilege(s.source_table, 'SELECT') THEN
      v_problem := format('role %s may not read %s: GRANT SELECT', current_user, s.source_table);
    ELSIF row_security_active(s.source_table) THEN
      v_problem := format('row-level security hides rows of %s from role %s: give it BYPASSRLS', s.source_table, current_user);
    ELSIF s.state <> 'paused' THEN
      SELECT format('trigger %s is %s: changes are found by the recheck only', want, CASE WHEN t.oid IS NULL THEN 'missing' ELSE 'disabled' END)
        INTO v_problem
      FROM unnest(ARRAY['insert', 'update', 'truncate'] || CASE WHEN v_kind = 'p' THEN '{}'::text[] ELSE '{delete}' END) event,
           format('rowvec_%s_%s', p_source, event) want
      LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = s.source_table AND t.tgname = want
      WHERE t.oid IS NULL OR t.tgenabled = 'D' LIMIT 1;
    END IF;
  END IF;

  v_state := CASE WHEN s.state = 'paused' THEN 'paused' WHEN v_kind IS NULL OR v_missing IS NOT NULL THEN 'broken' ELSE 'active' END;
  IF v_problem IS DISTINCT FROM s.problem OR v_state <> s.state THEN
    UPDATE rowvec.source SET problem = v_problem, state = v_state WHERE id = p_source;
    IF v_problem IS NULL AND s.problem IS NOT NULL THEN   -- healed: what happened meanwhile is unknown
      PERFORM rowvec.recheck(s.name);
    END IF;
  END IF;
  RETURN v_problem;
END $fn$;
