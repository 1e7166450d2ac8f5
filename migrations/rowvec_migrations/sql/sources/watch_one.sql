-- watch() for one text column, named by a plain string.
CREATE OR REPLACE FUNCTION rowvec.watch(
  source_table regclass, text_column text, name text DEFAULT NULL, model text DEFAULT NULL, template text DEFAULT NULL,
  into_column text DEFAULT NULL, chunk_tokens integer DEFAULT NULL, chunk_overlap integer DEFAULT 0,
  backfill boolean DEFAULT true, if_not_exists boolean DEFAULT false, on_overflow text DEFAULT 'truncate',
    store_text boolean DEFAULT false,
  document_prompt text DEFAULT NULL, query_prompt text DEFAULT NULL, replace boolean DEFAULT false,
    index text DEFAULT NULL
) RETURNS text LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
  SELECT rowvec.watch(source_table, ARRAY[text_column], name, model, template, into_column, chunk_tokens,
    chunk_overlap, backfill, if_not_exists,
                      on_overflow, store_text, document_prompt, query_prompt, replace, index)
$$;
