-- The vector of one row, and a filter that leaves this row out. With the caller's rights. Index: the primary key of the
-- vectors, or in column mode of the table.
CREATE FUNCTION rowvec._own_vector(p_source text, p_row_type oid, p_key text, p_filter text, OUT vector vector, OUT others text) LANGUAGE plpgsql STABLE AS $fn$
DECLARE
  f record := rowvec._search_facts(p_source, p_row_type);
BEGIN
  EXECUTE pg_catalog.format('SELECT v.%s::%s.vector FROM %s v WHERE %s%s LIMIT 1', f.embedding, f.schema, f.vectors, rowvec._key_matches(f, 'v', '$1'),
    CASE WHEN f.in_row THEN '' ELSE ' ORDER BY v.chunk' END) INTO vector USING p_key;
  others := pg_catalog.format(E'(%s\n) AND NOT (%s)', coalesce(p_filter, 'true'), rowvec._key_matches(f, f.alias, pg_catalog.quote_literal(p_key)));
END $fn$;
