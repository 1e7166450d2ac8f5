-- Column mode: makes the column if it does not exist (nullable, without a default: no row is rewritten), else checks
-- it. Fills in its number, and whether unwatch may drop it. Locks: ACCESS EXCLUSIVE on the table, briefly, when it is
-- made; it waits 2 s at most.
CREATE OR REPLACE FUNCTION rowvec_internal.make_column(s rowvec_internal.source, p_dims integer)
RETURNS rowvec_internal.source LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_problem text;
  v_timeout text := current_setting('lock_timeout');
BEGIN
  IF s.into_column IS NULL THEN
    RETURN s;
  ELSIF s.into_column = ANY (s.key_columns || s.text_columns) THEN
    RAISE EXCEPTION 'column "%" is a key or a text column of this source', s.into_column
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Name another: it is made if it is not there.';
  ELSIF EXISTS (SELECT FROM rowvec_internal.source o WHERE o.source_table = s.source_table
    AND o.into_column = s.into_column AND o.name <> s.name) THEN
    RAISE EXCEPTION 'column "%" of % is written by another source', s.into_column,
      rowvec_internal.table_name(s.source_table) USING ERRCODE = 'duplicate_object',
      HINT = 'Name another: it is made if it is not there.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = s.source_table
    AND a.attname = s.into_column AND NOT a.attisdropped) THEN
    PERFORM set_config('lock_timeout', '2s', true);
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s.vector(%s)', s.source_table, s.into_column,
      (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n
        ON n.oid = e.extnamespace WHERE e.extname = 'vector'), p_dims);
    PERFORM set_config('lock_timeout', v_timeout, true);
    s.into_made := true;
  END IF;
  v_problem := rowvec_internal.column_problem(s.source_table, s.into_column, p_dims);
  IF v_problem IS NOT NULL THEN
    RAISE EXCEPTION '%', v_problem USING ERRCODE = 'datatype_mismatch',
      HINT = 'Change the column, or name one that is not there yet: it is made as it must be.';
  END IF;
  s.into_number := (rowvec_internal.column_numbers(s.source_table, ARRAY[s.into_column]))[1];
  s.into_made := coalesce(s.into_made, false);
  RETURN s;
END $fn$;
