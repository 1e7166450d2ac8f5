-- The vector of one row, and a filter that leaves this row out. With the caller's rights. Index: the primary key of the
-- vectors, or in column mode of the table. Of several chunks, their mean.
CREATE OR REPLACE FUNCTION rowvec_internal.own_vector(p_source text, p_row_type oid, p_key text, p_filter text,
  OUT vector vector, OUT others text) LANGUAGE plpgsql STABLE AS $fn$
DECLARE
  f record := rowvec_internal.search_facts(p_source, p_row_type);
BEGIN
  EXECUTE pg_catalog.format('SELECT %s FROM %s v WHERE %s',
    CASE WHEN f.chunks IS NULL THEN pg_catalog.format('v.%s::%s.vector', f.embedding, f.schema) ELSE f.schema ||
      '.avg(v.embedding)' END,
    f.vectors, rowvec_internal.key_matches(f, 'v', '$1')) INTO vector USING p_key;
  others := pg_catalog.format(E'(%s\n) AND NOT (%s)', coalesce(p_filter, 'true'), rowvec_internal.key_matches(f,
    f.alias, pg_catalog.quote_literal(p_key)));
END $fn$;
