-- The numbers of a table's columns, in the order of the names; an error that names the first one that is not there.
CREATE OR REPLACE FUNCTION rowvec_internal.column_numbers(p_table regclass, p_columns name[]) RETURNS smallint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_column name;
  v_number smallint;
  v_numbers smallint[] := '{}';
BEGIN
  FOREACH v_column IN ARRAY p_columns LOOP
    SELECT attnum INTO v_number FROM pg_attribute
    WHERE attrelid = p_table AND attname = v_column AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'table % has no column "%"', rowvec_internal.table_name(p_table), v_column
        USING ERRCODE = 'undefined_column',
        HINT = format('Its columns are %s.', (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
          FROM pg_attribute WHERE attrelid = p_table AND attnum > 0 AND NOT attisdropped));
    END IF;
    v_numbers := v_numbers || v_number;
  END LOOP;
  RETURN v_numbers;
END $$;
