-- The tsvector of a row's text columns. `rowvec index --text` makes a GIN index of the same expression, so that
-- hybrid_search uses it. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.text_document(p_record text, p_columns name[], p_language regconfig)
RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('to_tsvector(%L::regconfig, %s)', p_language, string_agg(format('coalesce(%s%I::text, '''')',
    coalesce(p_record || '.', ''), c), ' || '' '' || '))
  FROM unnest(p_columns) c
$$;
