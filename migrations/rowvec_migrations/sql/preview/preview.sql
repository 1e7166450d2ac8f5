-- The text of one row as it is embedded, its chunks and their tokens (prompt and special ones counted), by the
-- daemon's own tokenizer: see rowvec/search/preview.py for the JSON that it answers. The row is read with the
-- caller's rights. Nothing is embedded or written. Locks: none. Index: the source's key.
CREATE OR REPLACE FUNCTION rowvec.preview(source text, row_key text) RETURNS TABLE (chunk integer, tokens integer,
  chunk_start integer, chunk_end integer, text text)
LANGUAGE plpgsql VOLATILE ROWS 10 AS $fn$
#variable_conflict use_column
DECLARE
  f       record := rowvec_internal.preview_facts(source);
  v_text  text;
  v_found bigint;
BEGIN
  EXECUTE pg_catalog.format('SELECT %s FROM %s d WHERE %s', f.text_sql, f.relation, f.matches)
    INTO v_text USING row_key;
  GET DIAGNOSTICS v_found = ROW_COUNT;
  IF v_found = 0 THEN
    RAISE EXCEPTION '% has no row with key %', f.relation, row_key USING ERRCODE = 'no_data_found',
      HINT = 'A key is written as its text; one of several columns as a row, as search() gives it: (a,1).';
  ELSIF v_text IS NULL THEN
    RAISE NOTICE 'the row has no text, and so no vector: every text column is NULL or blank';
    RETURN;
  END IF;
  FOR chunk, tokens, chunk_start, chunk_end IN
    SELECT (c.i - 1)::integer, c.tokens, c.start, c.stop
    FROM ROWS FROM (pg_catalog.jsonb_to_recordset(rowvec_internal.ask_daemon(f.model_id, '', v_text,
      f.id)::jsonb) AS (start integer, stop integer, tokens integer))
         WITH ORDINALITY c(start, stop, tokens, i)
  LOOP
    text := pg_catalog.substr(v_text, chunk_start + 1, chunk_end - chunk_start);
    RETURN NEXT;
  END LOOP;
  IF tokens > f.max_tokens THEN
    RAISE NOTICE 'the text has % tokens, and the model takes %: %', tokens, f.max_tokens,
      CASE f.on_overflow WHEN 'error' THEN 'such a row is a dead letter' ELSE 'it is embedded by its beginning' END;
  END IF;
END $fn$;
