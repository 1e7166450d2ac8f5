-- What is wrong with a table's column as the place of vectors of so many dimensions; NULL: nothing. Locks: none.
-- Called by make_column and resolve.
CREATE OR REPLACE FUNCTION rowvec_internal.column_problem(p_table regclass, p_column name, p_dims integer)
RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN a.attnum IS NULL THEN format('column "%s" is gone', p_column)
    WHEN a.attgenerated <> '' THEN format('column "%s" of %s is generated, and cannot be written', p_column,
      rowvec_internal.table_name(p_table))
    WHEN t.typname NOT IN ('vector', 'halfvec') OR t.typnamespace <> (SELECT extnamespace FROM pg_extension
      WHERE extname = 'vector') OR a.atttypmod <> p_dims
      THEN format('column "%s" of %s is %s, and the model makes vectors of %s dims:'
                  ' it must be vector(%4$s) or halfvec(%4$s)',
                  p_column, rowvec_internal.table_name(p_table), format_type(a.atttypid, a.atttypmod), p_dims)
    WHEN a.attnotnull THEN format('column "%s" of %s is NOT NULL, but a new row waits for its vector:'
                  ' ALTER TABLE %2$s ALTER %1$I DROP NOT NULL', p_column, rowvec_internal.table_name(p_table))
    END
  FROM (VALUES (1)) one
  LEFT JOIN pg_attribute a ON a.attrelid = p_table AND a.attname = p_column AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_type t ON t.oid = a.atttypid
$$;
