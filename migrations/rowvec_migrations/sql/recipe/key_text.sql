-- SQL for a row's key as text, as the change log carries it: the column itself, or for several the row of them.
-- Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.key_text(p_record text, p_columns name[]) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN cardinality(p_columns) = 1 THEN format('%s.%I::text', p_record, p_columns[1])
    ELSE 'ROW(' || (SELECT string_agg(format('%s.%I', p_record, c), ', ') FROM unnest(p_columns) c) || ')::text' END
$$;
