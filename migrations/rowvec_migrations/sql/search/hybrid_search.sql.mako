## hybrid_search() twice: giving keys, or the rows themselves, which are joined to the keys.
<%
options = """k integer DEFAULT 10, filter text DEFAULT NULL, max_distance float8 DEFAULT NULL,
  language regconfig DEFAULT NULL, vector_weight float8 DEFAULT 1, text_weight float8 DEFAULT 1,
  candidates integer DEFAULT NULL, document text DEFAULT NULL"""
columns = "score float8, distance float8, vector_rank bigint, text_rank bigint, chunk integer, passage text"
%>
-- Vector and full text together, by reciprocal rank fusion: score = sum of weight / (60 + rank in that list). The lists
-- are `candidates` long (4 k, at least 50). max_distance bounds the vectors' list only. A row that only one list has
-- comes without the other's rank; the passage is the vectors'. `document` is SQL for the tsvector, where the table has
-- one of its own.
CREATE OR REPLACE FUNCTION rowvec.hybrid_search(source text, query text, ${options}, per_row boolean DEFAULT true)
RETURNS TABLE (key text, ${columns}) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
DECLARE
  f   record := rowvec_internal.search_facts(source, NULL);
  v_n integer := coalesce(candidates, greatest(50, 4 * k));
BEGIN
  language := coalesce(language, pg_catalog.get_current_ts_config());
  RETURN QUERY
    SELECT coalesce(v.key, t.key),
           coalesce(vector_weight / (60 + v.rank), 0) + coalesce(text_weight / (60 + t.rank), 0) AS fused,
           v.distance, v.rank, t.rank, v.chunk, v.passage
    FROM (SELECT s.key, s.distance, s.chunk, s.passage, pg_catalog.row_number() OVER () AS rank
          FROM rowvec.search(source, rowvec.embed(query, source), v_n, filter, max_distance, per_row => per_row) s) v
    FULL JOIN rowvec_internal.text_hits(f, query, filter, language, document, k, v_n) t ON t.key = v.key
    ORDER BY fused DESC, v.rank, t.rank LIMIT k;
END $fn$;

CREATE OR REPLACE FUNCTION rowvec.hybrid_search(row_type anyelement, query text, ${options},
  source text DEFAULT NULL, per_row boolean DEFAULT true)
RETURNS TABLE (hit anyelement, ${columns}) LANGUAGE plpgsql STABLE ROWS 10 AS $fn$
#variable_conflict use_variable
DECLARE
  f record := rowvec_internal.search_facts(source, pg_catalog.pg_typeof(row_type)::oid);
BEGIN
  RETURN QUERY EXECUTE pg_catalog.format(
    'SELECT %1$s.*::%2$s, h.score, h.distance, h.vector_rank, h.text_rank, h.chunk, h.passage'
    ' FROM rowvec.hybrid_search($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) h JOIN %2$s AS %1$s ON %3$s'
    ' ORDER BY h.score DESC, h.vector_rank, h.text_rank',
    f.alias, f.relation, rowvec_internal.key_matches(f, f.alias, 'h.key'))
    USING f.name, query, k, filter, max_distance, language, vector_weight, text_weight, candidates, document, per_row;
END $fn$;
