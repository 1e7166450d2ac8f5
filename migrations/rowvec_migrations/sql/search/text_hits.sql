-- The n best rows by full text, best first. Every word must be there; where that gives fewer than k rows, any word may.
-- With the caller's rights. Index: a GIN index on the document, if there is one.
CREATE OR REPLACE FUNCTION rowvec_internal.text_hits(f record, p_query text, p_filter text, p_language regconfig,
  p_document text, p_k integer, p_n integer)
RETURNS TABLE (key text, rank bigint) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
DECLARE
  v_all tsquery := pg_catalog.websearch_to_tsquery(p_language, p_query);
  v_any tsquery := CASE WHEN v_all::text ~ '!' THEN v_all ELSE pg_catalog.replace(v_all::text, ' & ',
    ' | ')::tsquery END;
  v_sql text := pg_catalog.format(E'SELECT x.key, pg_catalog.row_number() OVER (ORDER BY x.score DESC, x.key)'
    ' FROM (SELECT %1$s AS key, pg_catalog.ts_rank(%2$s, $1, 1) AS score'
    ' FROM %3$s AS %4$s WHERE %2$s @@ $1 AND (%5$s\n) ORDER BY score DESC LIMIT $2) x',
      rowvec_internal.key_text(f.alias, f.keys),
    coalesce('(' || p_document || ')', rowvec_internal.text_document(f.alias, f.texts, p_language)), f.relation,
      f.alias, coalesce(p_filter, 'true'));
  v_found bigint;
BEGIN
  IF v_any <> v_all THEN
    EXECUTE pg_catalog.format('SELECT count(*) FROM (%s LIMIT $3) x', v_sql) INTO v_found USING v_all, p_n, p_k;
    IF v_found < p_k THEN
      v_all := v_any;
    END IF;
  END IF;
  RETURN QUERY EXECUTE v_sql USING v_all, p_n;
END $fn$;
