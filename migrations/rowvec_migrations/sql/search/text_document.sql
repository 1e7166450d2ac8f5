-- What full text search sees of a row: its text columns, as one tsvector. The same expression stands in the GIN index
-- that `rowvec index --text` makes, so that hybrid_search uses it.
CREATE OR REPLACE FUNCTION rowvec_internal.text_document(p_record text, p_columns name[], p_language regconfig)
RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('to_tsvector(%L::regconfig, %s)', p_language, string_agg(format('coalesce(%s%I::text, '''')',
    coalesce(p_record || '.', ''), c), ' || '' '' || '))
  FROM unnest(p_columns) c
$$;
