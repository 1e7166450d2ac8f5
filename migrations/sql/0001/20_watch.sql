-- Begins to keep vectors for a table: checks what is asked, makes the vector table, installs the triggers, asks for a
-- backfill. The running daemon sees the new row in the catalogue. Returns the source's name.
-- Locks: SHARE ROW EXCLUSIVE on the table, for which it waits 2 s at most. Rights: the caller's own, on the table and
-- on schema rowvec.
CREATE FUNCTION rowvec.watch(
  source_table regclass, text_columns text[], name text DEFAULT NULL, model text DEFAULT NULL, template text DEFAULT NULL,
  into_column text DEFAULT NULL, chunk_tokens integer DEFAULT NULL, chunk_overlap integer DEFAULT 0,
  backfill boolean DEFAULT true, if_not_exists boolean DEFAULT false
) RETURNS text LANGUAGE plpgsql AS $fn$
#variable_conflict use_variable
DECLARE
  v_class   pg_catalog.pg_class;
  v_model   rowvec.model;
  v_keys    name[];
  v_column  record;
  v_extra   text;
  v_vectors text;
  v_source  smallint;
  v_timeout text := current_setting('lock_timeout');
BEGIN
  SELECT * INTO STRICT v_class FROM pg_catalog.pg_class c WHERE c.oid = source_table;
  name := coalesce(name, v_class.relname);
  IF v_class.relkind NOT IN ('r', 'p') OR v_class.relpersistence = 't' THEN
    RAISE EXCEPTION '% is not a table that can be watched: it is %', source_table,
      CASE WHEN v_class.relpersistence = 't' THEN 'a temporary table' WHEN v_class.relkind = 'v' THEN 'a view'
           WHEN v_class.relkind = 'm' THEN 'a materialised view' WHEN v_class.relkind = 'f' THEN 'a foreign table'
           ELSE format('of kind "%s"', v_class.relkind) END
      USING ERRCODE = 'wrong_object_type', HINT = 'Watch the table that holds the text.';
  END IF;
  IF octet_length(name) > 48 THEN
    RAISE EXCEPTION 'the source name "%" is longer than 48 bytes', name USING ERRCODE = 'name_too_long', HINT = 'Give a shorter one: name => ''…''.';
  END IF;
  IF EXISTS (SELECT FROM rowvec.source s WHERE s.name = watch.name) THEN
    IF if_not_exists THEN
      IF NOT EXISTS (SELECT FROM rowvec.source s WHERE s.name = watch.name AND s.source_table = watch.source_table) THEN
        RAISE EXCEPTION 'source "%" exists, and watches another table', name USING ERRCODE = 'duplicate_object', HINT = 'Give another name: name => ''…''.';
      END IF;
      RAISE NOTICE 'source "%" is already watched', name;
      RETURN name;
    END IF;
    RAISE EXCEPTION 'source "%" is already watched', name USING ERRCODE = 'duplicate_object',
      HINT = 'Give another name (name => ''…''), say if_not_exists => true, or unwatch it first.';
  END IF;

  IF into_column IS NOT NULL OR chunk_tokens IS NOT NULL OR chunk_overlap <> 0 THEN
    RAISE EXCEPTION 'into_column, chunk_tokens and chunk_overlap are not there yet' USING ERRCODE = 'feature_not_supported',
      HINT = 'Leave them out: the vectors go to a table of their own, one vector a row.';
  END IF;
  IF model IS NULL THEN
    SELECT * INTO v_model FROM rowvec.model m WHERE m.is_default;
  ELSE
    SELECT * INTO v_model FROM rowvec.model m WHERE m.name = model;
  END IF;
  IF v_model.id IS NULL THEN
    RAISE EXCEPTION '%', CASE WHEN model IS NULL THEN 'there is no default model' ELSE format('there is no model "%s"', model) END
      USING ERRCODE = 'undefined_object', HINT = coalesce('Models: ' || (SELECT string_agg(m.name, ', ') FROM rowvec.model m) || '.',
        'Add one: `rowvec export all-MiniLM-L6-v2 --out DIR`, then `rowvec model add DIR --default`.');
  END IF;

  v_keys := rowvec._key_columns(source_table);
  IF v_keys IS NULL THEN
    RAISE EXCEPTION 'table % has no key', source_table USING ERRCODE = 'invalid_table_definition',
      HINT = 'Add a primary key, or a unique index on columns that are NOT NULL.';
  END IF;
  IF v_keys && ARRAY['chunk', 'embedding', '_hash', '_version', '_at']::name[] THEN
    RAISE EXCEPTION 'a key column of % is called chunk, embedding, _hash, _version or _at', source_table USING ERRCODE = 'reserved_name',
      HINT = 'The vector table has columns of these names; rename the key column.';
  END IF;
  IF coalesce(cardinality(text_columns), 0) = 0 THEN
    RAISE EXCEPTION 'no text column is named' USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: SELECT rowvec.watch(''documents'', ''body'').';
  END IF;
  PERFORM rowvec._column_numbers(source_table, text_columns::name[]);
  SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type INTO v_column
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
  WHERE a.attrelid = source_table AND a.attname = ANY (text_columns::name[]) AND template IS NULL
    AND coalesce(b.typcategory, t.typcategory) <> 'S' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'column "%" of % is %, not text', v_column.attname, source_table, v_column.type USING ERRCODE = 'datatype_mismatch',
      HINT = format('Name a text column, or say how it is to be read: template => ''{%s}''.', v_column.attname);
  END IF;
  IF template IS NOT NULL THEN
    SELECT m[1] INTO v_extra FROM regexp_matches(replace(replace(template, '{{', ''), '}}', ''), '\{([^{}]*)\}', 'g') m
    WHERE m[1] <> ALL (text_columns) LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'the template names {%}, which is not among the text columns', v_extra USING ERRCODE = 'invalid_parameter_value',
        HINT = format('Add it: ARRAY[%s, %L].', (SELECT string_agg(quote_literal(c), ', ') FROM unnest(text_columns) c), v_extra);
    END IF;
    SELECT c INTO v_extra FROM unnest(text_columns) c
    WHERE strpos(replace(replace(template, '{{', ''), '}}', ''), '{' || c || '}') = 0 LIMIT 1;
    IF FOUND OR regexp_replace(replace(replace(template, '{{', ''), '}}', ''), '\{[^{}]+\}', '', 'g') ~ '[{}]' THEN
      RAISE EXCEPTION '%', CASE WHEN v_extra IS NULL THEN 'the template has a brace that is not closed, or not opened'
          ELSE format('the template does not use the text column "%s"', v_extra) END
        USING ERRCODE = 'invalid_parameter_value', HINT = 'A column is written {column}, a brace {{ or }}.';
    END IF;
  END IF;

  -- The vector table: the key columns as they are (type, length, collation), then ours.
  v_vectors := format('rowvec.%I', name || '_vectors');
  IF to_regclass(v_vectors) IS NULL THEN
    EXECUTE format('CREATE TABLE %s WITH (fillfactor = 80) AS SELECT %s FROM %s WITH NO DATA',
                   v_vectors, (SELECT string_agg(quote_ident(k), ', ') FROM unnest(v_keys) k), source_table);
    EXECUTE format('ALTER TABLE %s ADD chunk integer NOT NULL DEFAULT 0, ADD embedding %s.vector(%s), ADD _hash bytea,
                      ADD _version integer NOT NULL DEFAULT 1, ADD _at timestamptz NOT NULL DEFAULT clock_timestamp(), ADD PRIMARY KEY (%s, chunk)',
                   v_vectors, (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'),
                   v_model.dims, (SELECT string_agg(quote_ident(k), ', ') FROM unnest(v_keys) k));
    EXECUTE format('CREATE INDEX ON %s (_at) WHERE embedding IS NULL', v_vectors);   -- for the purge of tombstones
    IF v_model.dims * 4 < 7800 THEN   -- inline while a row fits its page: an exact scan then reads no TOAST
      EXECUTE format('ALTER TABLE %s ALTER embedding SET STORAGE PLAIN', v_vectors);
    END IF;
  ELSIF (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a WHERE a.attrelid = v_vectors::regclass AND a.attname = 'embedding')
        NOT LIKE format('%%vector(%s)', v_model.dims)
      OR (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = v_vectors::regclass AND a.attnum BETWEEN 1 AND cardinality(v_keys)) IS DISTINCT FROM v_keys THEN
    RAISE EXCEPTION '% is there already, with other keys or vectors of another size', v_vectors USING ERRCODE = 'duplicate_table',
      HINT = format('DROP TABLE %s, or give another name: name => ''…''.', v_vectors);
  END IF;

  INSERT INTO rowvec.source (name, source_table, key_columns, key_numbers, key_types, text_columns, text_numbers, template, model_id, vector_table, shape)
  SELECT name, source_table, v_keys, rowvec._column_numbers(source_table, v_keys),
         (SELECT array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY array_position(v_keys, a.attname))
          FROM pg_catalog.pg_attribute a WHERE a.attrelid = source_table AND a.attname = ANY (v_keys)),
         text_columns, rowvec._column_numbers(source_table, text_columns::name[]), template, v_model.id, v_vectors::regclass, rowvec._shape(source_table)
  RETURNING id INTO v_source;
  IF cardinality(v_keys) > 1 THEN   -- the type that parses a key of several columns back into them
    EXECUTE format('CREATE TYPE rowvec.source_%s_key AS (%s)', v_source,
      (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY array_position(v_keys, a.attname))
       FROM pg_catalog.pg_attribute a WHERE a.attrelid = source_table AND a.attname = ANY (v_keys)));
  END IF;

  PERFORM set_config('lock_timeout', '2s', true);
  PERFORM rowvec._install_triggers(v_source);
  PERFORM set_config('lock_timeout', v_timeout, true);
  INSERT INTO rowvec.backfill (source_id, phase, recheck, estimate, done_at)
  VALUES (v_source, CASE WHEN backfill THEN 'rows' ELSE 'done' END, true, greatest(v_class.reltuples, 0), CASE WHEN backfill THEN NULL ELSE now() END);
  PERFORM rowvec.ring();
  RETURN name;
END $fn$;
