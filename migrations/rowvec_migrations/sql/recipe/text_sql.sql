-- SQL for a row's text: by its template, or its columns one below the other with a blank line between. The one place
-- where a text is made, so that what the daemon embeds, what verify compares and what search shows are the same. A
-- bracket or quote that closes right after a column is left out together with that column's value: '{name} ({tags})'.
-- Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.text_sql(p_record text, p_table oid, p_columns name[], p_template text)
RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_literals text[] := ARRAY[''];
  v_parts    text[] := '{}';
  v_part     record;
  v_closing  text;
BEGIN
  IF p_template IS NULL THEN
    v_literals := '{""}'::text[] || array_fill(E'\n\n'::text, ARRAY[cardinality(p_columns) - 1]) || ''::text;
    SELECT array_agg(rowvec_internal.part_sql(p_record, p_table, c) ORDER BY i) INTO v_parts
      FROM unnest(p_columns) WITH ORDINALITY u(c, i);
  ELSE
    FOR v_part IN SELECT * FROM rowvec_internal.template_parts(p_template) p ORDER BY p.i LOOP
      IF v_part.kind = 'column' THEN
        v_parts := v_parts || rowvec_internal.part_sql(p_record, p_table, v_part.word::name);
        v_literals := v_literals || ''::text;
      ELSE
        v_literals[cardinality(v_literals)] := v_literals[cardinality(v_literals)] || v_part.word;
      END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(v_parts) LOOP
      v_closing := substring(v_literals[i + 1] FROM '^[])}>"»”’'']+');
      IF v_closing IS NOT NULL THEN
        v_parts[i] := format('%s || %L', v_parts[i], v_closing);
        v_literals[i + 1] := substr(v_literals[i + 1], length(v_closing) + 1);
      END IF;
    END LOOP;
  END IF;
  IF v_literals = ARRAY['', ''] THEN
    RETURN v_parts[1];
  END IF;
  RETURN format('rowvec_internal.join_text(%L::text[], ARRAY[%s])', v_literals, array_to_string(v_parts, ', '));
END $fn$;
