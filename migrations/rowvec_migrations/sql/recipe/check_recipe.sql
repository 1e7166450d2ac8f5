-- Checks a recipe against its table and model, and fills in what the catalogue keeps beside it: keys, types, column
-- numbers. Every mistake that can be seen is an error here, with what to do, so that none reaches the daemon. Locks:
-- none. Called by watch.
CREATE OR REPLACE FUNCTION rowvec_internal.check_recipe(s rowvec_internal.source, p_model rowvec_internal.model)
RETURNS rowvec_internal.source LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_column record;
  v_extra  text;
BEGIN
  s.key_columns := rowvec_internal.key_columns(s.source_table);
  IF s.key_columns IS NULL THEN
    RAISE EXCEPTION 'table % has no key', rowvec_internal.table_name(s.source_table)
      USING ERRCODE = 'invalid_table_definition',
      HINT = 'Add a primary key, or a unique index on columns that are NOT NULL.';
  END IF;
  IF s.key_columns && ARRAY['chunk', 'embedding', 'chunk_start', 'chunk_end', 'chunk_text', '_hash', '_chunk_hash',
    '_truncated', '_version', '_at']::name[] THEN
    RAISE EXCEPTION 'a key column of % is called as one of ours', rowvec_internal.table_name(s.source_table)
      USING ERRCODE = 'reserved_name',
      DETAIL = 'The vector table has columns chunk, embedding, chunk_start, chunk_end, chunk_text, _hash,'
               ' _chunk_hash, _truncated, _version and _at.',
      HINT = 'You must rename the key column.';
  END IF;
  IF coalesce(cardinality(s.text_columns), 0) = 0 THEN
    RAISE EXCEPTION 'no text column is named' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example: SELECT rowvec.watch(''documents'', ''body'').';
  END IF;
  s.key_numbers := rowvec_internal.column_numbers(s.source_table, s.key_columns);
  s.text_numbers := rowvec_internal.column_numbers(s.source_table, s.text_columns);
  SELECT array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY array_position(s.key_columns, a.attname))
    INTO s.key_types
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = s.source_table AND a.attname = ANY (s.key_columns);

  SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, t.typname = 'bytea' AS bytes INTO v_column
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b
    ON b.oid = t.typbasetype
  WHERE a.attrelid = s.source_table AND a.attname = ANY (s.text_columns)
    AND (t.typname = 'bytea' OR s.template IS NULL AND coalesce(b.typcategory, t.typcategory) <> 'S') LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'column "%" of % is %, not text', v_column.attname, rowvec_internal.table_name(s.source_table),
      v_column.type USING ERRCODE = 'datatype_mismatch',
      HINT = CASE WHEN v_column.bytes THEN 'Store the text of such a document in a text column, and watch that.'
        ELSE format('Name a text column, or say how it is to be read: template => ''{%s}''.', v_column.attname) END;
  END IF;
  IF s.template IS NOT NULL THEN
    IF EXISTS (SELECT FROM rowvec_internal.template_parts(s.template) p WHERE p.kind = 'brace') THEN
      RAISE EXCEPTION 'the template has a brace that is not closed, or not opened'
        USING ERRCODE = 'invalid_parameter_value', HINT = 'A column is written {column}, a brace {{ or }}.';
    END IF;
    SELECT p.word INTO v_extra FROM rowvec_internal.template_parts(s.template) p WHERE p.kind = 'column'
      AND p.word <> ALL (s.text_columns::text[]) LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'the template names {%}, which is not among the text columns', v_extra
        USING ERRCODE = 'invalid_parameter_value',
        HINT = format('Add it: ARRAY[%s, %L].', (SELECT string_agg(quote_literal(c), ', ')
          FROM unnest(s.text_columns) c), v_extra);
    END IF;
    SELECT c INTO v_extra FROM unnest(s.text_columns) c
    WHERE NOT EXISTS (SELECT FROM rowvec_internal.template_parts(s.template) p WHERE p.kind = 'column'
      AND p.word = c) LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'the template does not use the text column "%"', v_extra
        USING ERRCODE = 'invalid_parameter_value', HINT = 'A column is written {column}, a brace {{ or }}.';
    END IF;
  END IF;
  EXECUTE format('SELECT %s FROM %s d LIMIT 0', rowvec_internal.text_sql('d', s.source_table, s.text_columns,
    s.template), s.source_table);

  IF s.into_column IS NOT NULL AND (s.chunk_tokens IS NOT NULL OR s.on_overflow = 'chunk') THEN
    RAISE EXCEPTION 'a row has room for one vector: into_column and chunks exclude each other'
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Leave into_column out: the vectors go to a table of their own.';
  END IF;
  IF s.on_overflow IS NULL OR s.on_overflow NOT IN ('truncate', 'error', 'chunk') THEN
    RAISE EXCEPTION 'on_overflow is %, which is not a way to treat a text that is too long',
      coalesce(quote_literal(s.on_overflow), 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say ''truncate'', ''error'' or ''chunk''.';
  END IF;
  IF s.chunk_tokens NOT BETWEEN 8 AND p_model.max_tokens THEN
    RAISE EXCEPTION 'chunk_tokens is %, but model "%" takes % tokens at most, and a chunk has at least 8',
      s.chunk_tokens, p_model.name, p_model.max_tokens USING ERRCODE = 'invalid_parameter_value',
      HINT = format('For example chunk_tokens => %s.', p_model.max_tokens);
  END IF;
  IF s.chunk_overlap < 0 OR s.chunk_overlap * 2 > coalesce(s.chunk_tokens, CASE WHEN s.on_overflow = 'chunk'
    THEN p_model.max_tokens ELSE 0 END) THEN
    RAISE EXCEPTION 'chunk_overlap is %: it may be half of chunk_tokens at most', s.chunk_overlap
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example chunk_tokens => 200, chunk_overlap => 20.';
  END IF;
  IF s.store_text AND s.chunk_tokens IS NULL AND s.on_overflow <> 'chunk' THEN
    RAISE EXCEPTION 'store_text keeps the texts of chunks, and there are none'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave it out, or say chunk_tokens => 200.';
  END IF;
  IF s.index_kind <> 'auto' THEN
    RAISE EXCEPTION 'index is %, which is not known', quote_literal(s.index_kind)
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say index => ''auto'' to let the daemon make it, or leave it out and run `rowvec index`.';
  END IF;
  RETURN s;
END $fn$;
