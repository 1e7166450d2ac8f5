-- Compares a source with the system catalogue: follows renamed columns and changed key types, remakes the trigger
-- functions then, and writes into state and problem what is wrong. Raises nothing: drift is reported. A column is
-- found by its name, else by its number: a restore keeps the names, a RENAME keeps the numbers. Locks: none when
-- nothing has changed; else those of follow, for which it waits 50 ms at most.
CREATE OR REPLACE FUNCTION rowvec_internal.resolve(p_source smallint) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s          rowvec_internal.source;
  v_kind     "char";
  v_problem  text;
  v_names    name[];
  v_old      name[];
  v_numbers  smallint[];
  v_types    text[];
  v_missing  name;
  v_into     name;                                      -- of the vector's column
  v_number   smallint;
  v_state    text;
  v_shape    text;
  v_changed  boolean := false;
  v_lost     boolean := false;
  v_timeout  text := current_setting('lock_timeout');
BEGIN
  SELECT * INTO s FROM rowvec_internal.source WHERE id = p_source;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT relkind INTO v_kind FROM pg_catalog.pg_class WHERE oid = s.source_table;
  v_old := s.key_columns || s.text_columns;
  SELECT array_agg(coalesce(n.attname, m.attname) ORDER BY c.i), array_agg(coalesce(n.attnum, m.attnum) ORDER BY c.i),
         (array_agg(format_type(coalesce(n.atttypid, m.atttypid), coalesce(n.atttypmod, m.atttypmod))
           ORDER BY c.i))[:cardinality(s.key_columns)],
         (array_agg(c.name ORDER BY c.i) FILTER (WHERE coalesce(n.attname, m.attname) IS NULL))[1]
    INTO v_names, v_numbers, v_types, v_missing
  FROM unnest(v_old, s.key_numbers || s.text_numbers) WITH ORDINALITY c(name, number, i)
  LEFT JOIN pg_catalog.pg_attribute n ON n.attrelid = s.source_table AND n.attname = c.name AND NOT n.attisdropped
  LEFT JOIN pg_catalog.pg_attribute m ON m.attrelid = s.source_table AND m.attnum = c.number AND NOT m.attisdropped;

  SELECT a.attname, a.attnum INTO v_into, v_number FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = s.source_table AND (a.attname = s.into_column OR a.attnum = s.into_number) AND NOT a.attisdropped
  ORDER BY a.attname = s.into_column DESC LIMIT 1;

  IF v_kind IS NULL THEN
    v_problem := 'its table is gone: unwatch it';
  ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = s.vector_table) THEN
    v_problem := 'its vector table is gone: unwatch it, and watch it again';
    v_lost := true;
  ELSIF v_missing IS NOT NULL THEN
    v_problem := format('column "%s" is gone: unwatch the source, or watch other columns', v_missing);
  ELSIF s.into_column IS NOT NULL AND rowvec_internal.column_problem(s.source_table, coalesce(v_into, s.into_column),
    (SELECT dims FROM rowvec_internal.model WHERE id = s.model_id)) IS NOT NULL THEN
    v_problem := rowvec_internal.column_problem(s.source_table, coalesce(v_into, s.into_column),
      (SELECT dims FROM rowvec_internal.model WHERE id = s.model_id));
    v_lost := true;
  ELSE
    IF v_names <> v_old OR v_numbers <> s.key_numbers || s.text_numbers OR v_types <> s.key_types
      OR v_into <> s.into_column OR v_number <> s.into_number THEN
      BEGIN   -- writers queue up behind a lock that we wait for: a short try now, another at the next call
        PERFORM set_config('lock_timeout', '50ms', true);
        UPDATE rowvec_internal.source SET into_column = v_into, into_number = v_number WHERE id = p_source
          AND v_into IS NOT NULL;
        PERFORM rowvec_internal.follow(p_source, v_names, v_numbers, v_types);
        v_changed := true;
      EXCEPTION WHEN OTHERS THEN
        v_problem := format('its columns have changed, and that could not be followed: %s', SQLERRM);
      END;
      PERFORM set_config('lock_timeout', v_timeout, true);
    END IF;
    v_shape := rowvec_internal.shape(s.source_table);
    IF v_problem IS NOT NULL THEN NULL;
    ELSIF NOT has_table_privilege(s.source_table, 'SELECT') THEN
      v_problem := format('role %s may not read %s: GRANT SELECT', current_user,
        rowvec_internal.table_name(s.source_table));
    ELSIF s.into_column IS NOT NULL AND NOT has_column_privilege(s.source_table, v_number, 'UPDATE') THEN
      v_problem := format('role %s may not write the vectors: GRANT UPDATE (%I) ON %s TO %1$I', current_user, v_into,
        rowvec_internal.table_name(s.source_table));
    ELSIF row_security_active(s.source_table) THEN
      v_problem := format('row-level security hides rows of %s from role %s: give it BYPASSRLS',
        rowvec_internal.table_name(s.source_table), current_user);
    ELSIF s.state <> 'paused' THEN
      SELECT format('trigger %s is %s: changes are found by the recheck only', want, CASE WHEN t.oid IS NULL
        THEN 'missing' ELSE 'disabled' END)
        INTO v_problem
      FROM unnest(ARRAY['insert', 'update', 'truncate'] || CASE WHEN v_kind = 'p' THEN '{}'::text[]
        ELSE '{delete}' END || CASE WHEN s.into_column IS NULL THEN '{}'::text[] ELSE '{vector}' END) event,
           format('rowvec_%s_%s', p_source, event) want
      LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = s.source_table AND t.tgname = want
      WHERE t.oid IS NULL OR t.tgenabled = 'D' LIMIT 1;
      IF v_problem IS NULL AND v_kind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits
        WHERE inhparent = s.source_table) THEN
        v_problem := 'tables inherit from it, and direct writes to those are found by the recheck only';
      END IF;
    END IF;
  END IF;

  v_state := CASE WHEN s.state = 'paused' THEN 'paused' WHEN v_kind IS NULL OR v_missing IS NOT NULL OR v_lost
    THEN 'broken' ELSE 'active' END;
  IF v_problem IS DISTINCT FROM s.problem OR v_state <> s.state OR v_shape <> s.shape THEN
    UPDATE rowvec_internal.source x SET problem = v_problem, shape = coalesce(v_shape, shape),
      -- A pause() or resume() since we read the source counts: this sees the row as it is now.
      state = CASE WHEN 'paused' IN (x.state, v_state) THEN x.state ELSE v_state END
    WHERE x.id = p_source;
  END IF;
  -- Followed, healed, or of another shape: what happened meanwhile is unknown.
  IF v_state = 'active' AND (v_changed OR v_problem IS NULL AND s.problem IS NOT NULL OR v_shape <> s.shape
    AND s.shape <> '') THEN
    PERFORM rowvec.recheck(s.name);
  END IF;
  RETURN v_problem;
END $fn$;
