-- hybrid_search() that returns the rows themselves: hybrid_search(NULL::documents, '…').
CREATE OR REPLACE FUNCTION rowvec.hybrid_search(row_type anyelement, query text, k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL, language regconfig DEFAULT NULL,
  vector_weight float8 DEFAULT 1, text_weight float8 DEFAULT 1, candidates integer DEFAULT NULL, document text DEFAULT NULL, source text DEFAULT NULL, per_row boolean DEFAULT true)
RETURNS TABLE (hit anyelement, score float8, distance float8, vector_rank bigint, text_rank bigint, chunk integer, passage text) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
DECLARE
  f record := rowvec_internal.search_facts(source, pg_catalog.pg_typeof(row_type)::oid);
BEGIN
  RETURN QUERY EXECUTE pg_catalog.format(
    'SELECT %1$s.*::%2$s, h.score, h.distance, h.vector_rank, h.text_rank, h.chunk, h.passage'
    ' FROM rowvec.hybrid_search($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) h JOIN %2$s AS %1$s ON %3$s ORDER BY h.score DESC, h.vector_rank, h.text_rank',
    f.alias, f.relation, rowvec_internal.key_matches(f, f.alias, 'h.key'))
    USING f.name, query, k, filter, max_distance, language, vector_weight, text_weight, candidates, document, per_row;
END $fn$;
