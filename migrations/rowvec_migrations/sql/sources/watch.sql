-- Begins to keep vectors for a table: checks the recipe, makes the vector table, installs the triggers, asks for a
-- backfill. The running daemon finds the new row in the catalogue. Returns the source's name. For a source that
-- exists with another recipe it says what differs; with `replace` it changes the recipe, and the recheck that this
-- asks for embeds again what differs by its hash, while search goes on with the vectors that are there. Locks: SHARE
-- ROW EXCLUSIVE on the table, for which it waits 2 s at most. Rights: the caller's own, on the table and on schema
-- rowvec.
CREATE OR REPLACE FUNCTION rowvec.watch(
  source_table regclass, text_columns text[], name text DEFAULT NULL, model text DEFAULT NULL,
    template text DEFAULT NULL,
  into_column text DEFAULT NULL, chunk_tokens integer DEFAULT NULL, chunk_overlap integer DEFAULT 0,
  backfill boolean DEFAULT true, if_not_exists boolean DEFAULT false, on_overflow text DEFAULT 'truncate',
    store_text boolean DEFAULT false,
  document_prompt text DEFAULT NULL, query_prompt text DEFAULT NULL, replace boolean DEFAULT false,
    index text DEFAULT NULL
) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_variable
DECLARE
  v_old     rowvec_internal.source;
  v_new     rowvec_internal.source;
  v_model   rowvec_internal.model;
  v_there   boolean;
  v_differs text;
  v_texts   boolean;   -- does what is embedded differ, and not only how it is searched?
  v_timeout text := current_setting('lock_timeout');
BEGIN
  PERFORM rowvec_internal.check_table(source_table);
  name := coalesce(name, (SELECT c.relname FROM pg_catalog.pg_class c WHERE c.oid = source_table));
  IF octet_length(name) > 48 THEN
    RAISE EXCEPTION 'the source name "%" is longer than 48 bytes', name USING ERRCODE = 'name_too_long',
      HINT = 'Give a shorter one: name => ''…''.';
  END IF;
  SELECT * INTO v_old FROM rowvec_internal.source s WHERE s.name = watch.name FOR UPDATE;
  v_there := FOUND;
  IF v_there AND v_old.source_table <> source_table THEN
    RAISE EXCEPTION 'source "%" exists, and watches another table', name USING ERRCODE = 'duplicate_object',
      HINT = 'Give another name: name => ''…''.';
  END IF;
  IF v_there AND if_not_exists AND NOT replace THEN
    RAISE NOTICE 'source "%" is already watched', name;
    RETURN name;
  END IF;

  SELECT * INTO v_model FROM rowvec_internal.model m WHERE CASE WHEN model IS NOT NULL THEN m.name = model
    WHEN v_there THEN m.id = v_old.model_id ELSE m.is_default END;
  IF v_model.id IS NULL THEN
    RAISE EXCEPTION '%', CASE WHEN model IS NULL THEN 'there is no default model'
      ELSE format('there is no model "%s"', model) END
      USING ERRCODE = 'undefined_object', HINT = coalesce('Models: ' || (SELECT string_agg(m.name, ', ')
        FROM rowvec_internal.model m) || '.',
        'Add one: `rowvec export all-MiniLM-L6-v2 --out DIR`, then `rowvec model add DIR --default`.');
  END IF;
  v_new := v_old;
  v_new.name := name;
  v_new.source_table := source_table;
  v_new.text_columns := text_columns;
  v_new.template := template;
  v_new.model_id := v_model.id;
  v_new.into_column := into_column;
  v_new.into_made := coalesce(v_new.into_made, false);
  v_new.chunk_tokens := chunk_tokens;
  v_new.chunk_overlap := chunk_overlap;
  v_new.on_overflow := on_overflow;
  v_new.store_text := store_text;
  v_new.document_prompt := document_prompt;
  v_new.query_prompt := query_prompt;
  v_new.index_kind := index;
  IF v_there THEN
    SELECT string_agg(format('%s: %s instead of %s', replace(n.key, '_', ' '), coalesce(n.value #>> '{}', 'none'),
      coalesce(o.value #>> '{}', 'none')), '; '),
           bool_or(n.key NOT IN ('query_prompt', 'index_kind'))
      INTO v_differs, v_texts
    FROM pg_catalog.jsonb_each(to_jsonb(v_new)) n JOIN pg_catalog.jsonb_each(to_jsonb(v_old)) o USING (key)
      WHERE n.value <> o.value AND n.key <> 'model_id';
    IF replace AND v_differs IS NULL AND v_new.model_id = v_old.model_id THEN
      RAISE NOTICE 'source "%" is already watched, as asked', name;
      RETURN name;
    ELSIF NOT replace THEN
      RAISE EXCEPTION 'source "%" is already watched', name USING ERRCODE = 'duplicate_object',
        DETAIL = coalesce('Asked for is ' || v_differs || '.', ''),
        HINT = CASE WHEN v_differs IS NULL
          THEN 'Give another name (name => ''…''), say if_not_exists => true, or unwatch it first.'
          ELSE 'To change its recipe: replace => true; what differs is then embedded again,'
               ' while search goes on. Or give another name: name => ''…''.' END;
    ELSIF v_new.model_id <> v_old.model_id OR v_new.into_column IS DISTINCT FROM v_old.into_column THEN
      RAISE EXCEPTION 'the % of source "%" cannot be replaced in place: searches would compare vectors of two kinds',
        CASE WHEN v_new.model_id <> v_old.model_id THEN 'model' ELSE 'column' END, name
        USING ERRCODE = 'feature_not_supported',
          HINT = 'Watch the table under another name (name => ''…''), wait for it, search there,'
               ' then unwatch this one.';
    END IF;
  END IF;
  v_new := rowvec_internal.make_column(rowvec_internal.check_recipe(v_new, v_model), v_model.dims);

  IF v_there THEN
    RAISE NOTICE 'the recipe of source "%" changes (%): %', name, v_differs,
      CASE WHEN v_texts THEN 'every row is compared, and what differs is embedded again'
        ELSE 'no row is embedded again' END;
    v_new.recipe := v_old.recipe + v_texts::integer;
    PERFORM rowvec_internal.make_vectors(v_new, v_model);
    UPDATE rowvec_internal.source s SET text_columns = v_new.text_columns, text_numbers = v_new.text_numbers,
      template = v_new.template, chunk_tokens = v_new.chunk_tokens,
      chunk_overlap = v_new.chunk_overlap, on_overflow = v_new.on_overflow, store_text = v_new.store_text,
        document_prompt = v_new.document_prompt,
      query_prompt = v_new.query_prompt, index_kind = v_new.index_kind, recipe = v_new.recipe WHERE s.id = v_old.id;
  ELSE
    v_new.vector_table := rowvec_internal.make_vectors(v_new, v_model);
    INSERT INTO rowvec_internal.source (name, source_table, key_columns, key_numbers, key_types, text_columns,
      text_numbers, template, model_id, into_column, into_number, into_made, chunk_tokens,
      chunk_overlap, on_overflow, store_text, document_prompt, query_prompt, index_kind, vector_table, shape)
    VALUES (name, source_table, v_new.key_columns, v_new.key_numbers, v_new.key_types, v_new.text_columns,
      v_new.text_numbers, template, v_new.model_id, into_column, v_new.into_number, v_new.into_made, chunk_tokens,
      chunk_overlap, on_overflow, store_text, document_prompt, query_prompt, index, v_new.vector_table,
        rowvec_internal.shape(source_table))
    RETURNING id INTO v_new.id;
    IF cardinality(v_new.key_columns) > 1 THEN   -- the type that parses a key of several columns back into them
      EXECUTE format('CREATE TYPE rowvec_internal.source_%s_key AS (%s)', v_new.id,
        (SELECT string_agg(format('%I %s', k, t), ', ' ORDER BY i) FROM unnest(v_new.key_columns,
          v_new.key_types) WITH ORDINALITY u(k, t, i)));
    END IF;
    EXECUTE format('INSERT INTO rowvec_internal.tally (source_id, truncated) SELECT %s, count(*) FROM %s'
                   ' WHERE _truncated', v_new.id, v_new.vector_table);
    INSERT INTO rowvec_internal.backfill (source_id, phase, recheck, estimate, done_at)
    SELECT v_new.id, CASE WHEN backfill THEN 'rows' ELSE 'done' END, true, greatest(c.reltuples, 0), CASE
      WHEN backfill THEN NULL ELSE now() END
    FROM pg_catalog.pg_class c WHERE c.oid = source_table;
  END IF;
  IF v_new.state IS DISTINCT FROM 'paused' AND v_texts IS DISTINCT FROM false THEN
    PERFORM set_config('lock_timeout', '2s', true);
    IF v_there THEN
      PERFORM rowvec_internal.drop_triggers(v_new.id);   -- their WHEN names the old columns
    END IF;
    PERFORM rowvec_internal.install_triggers(v_new.id);
    PERFORM set_config('lock_timeout', v_timeout, true);
  END IF;
  IF v_texts AND backfill THEN
    PERFORM rowvec.recheck(name);
  END IF;
  PERFORM rowvec_internal.ring('catalogue');
  RETURN name;
END $fn$;
