-- What preview() must know of a source: the table, the row's text as SQL, the model and its limit. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.preview_facts(p_source text, OUT id smallint, OUT model_id smallint,
  OUT relation text, OUT text_sql text, OUT matches text, OUT max_tokens integer, OUT on_overflow text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  f record := rowvec_internal.search_facts(p_source, NULL);
BEGIN
  SELECT s.id, s.model_id, s.source_table::text, rowvec_internal.text_sql('d', s.source_table, s.text_columns,
    s.template), rowvec_internal.key_matches(f, 'd', '$1'), m.max_tokens, s.on_overflow
    INTO id, model_id, relation, text_sql, matches, max_tokens, on_overflow
  FROM rowvec_internal.source s JOIN rowvec_internal.model m ON m.id = s.model_id WHERE s.name = p_source;
END $fn$;
