-- What search must know of a source, which the caller may not read in the catalogue: names, ready to stand in a
-- statement. By the source's name, or by its table's row type where the name is not given.
-- `vectors` and `embedding` are the table and column of the vectors: in column mode (`in_row`) the source's own, and `query`
-- is $1 as what that column holds. `kind` is what the index holds: vector (the same as the column), halfvec or bit; NULL
-- where there is no valid HNSW index over the column and every row. `chunks` is how many vectors a row has, about, where
-- its text is cut into chunks, else NULL, as is `row_text`, the expression that makes its text. Without sequential scans of small
-- catalogues this takes 0.06 ms instead of 0.10, of the 0.3 that a search costs beyond its statement.
CREATE FUNCTION rowvec._search_facts(p_source text, p_row_type oid, OUT id smallint, OUT name text, OUT source_table oid, OUT relation text, OUT alias text, OUT vectors text, OUT embedding text, OUT in_row boolean, OUT query text,
  OUT vectors_rows float8, OUT keys name[], OUT types text[], OUT texts name[], OUT dims integer, OUT operator text, OUT schema text, OUT kind text, OUT chunks float8, OUT row_text text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $fn$
DECLARE
  v_similarity text;
  v_vectors    oid;
  v_type       oid;
  v_half       boolean;
  v_template   text;
BEGIN
  IF p_source IS NULL THEN
    SELECT min(s.name) INTO p_source FROM rowvec.source s JOIN pg_class c ON c.oid = s.source_table WHERE c.reltype = p_row_type HAVING count(*) = 1;
    IF p_source IS NULL THEN
      RAISE EXCEPTION '%', CASE WHEN EXISTS (SELECT FROM rowvec.source s JOIN pg_class c ON c.oid = s.source_table WHERE c.reltype = p_row_type)
          THEN format('more than one source watches %s', format_type(p_row_type, NULL)) ELSE format('no source watches %s', format_type(p_row_type, NULL)) END
        USING ERRCODE = 'undefined_object', HINT = 'Name the source: source => ''…''; SELECT name FROM rowvec.status lists them.';
    END IF;
  END IF;
  SELECT s.id, s.name, s.source_table::oid, s.source_table::text, quote_ident(c.relname), c.reltype, v.oid::regclass::text, quote_ident(e.attname), s.into_column IS NOT NULL, greatest(v.reltuples, 0), v.oid,
         s.key_columns, s.key_types, s.text_columns, m.dims, m.similarity, t.typnamespace::regnamespace::text,
         (SELECT split_part(o.opcname, '_', 1) FROM pg_index i JOIN pg_opclass o ON o.oid = i.indclass[0] JOIN pg_am a ON a.oid = o.opcmethod
          WHERE i.indrelid = v.oid AND i.indisvalid AND NOT i.indisunique AND a.amname = 'hnsw' AND i.indpred IS NULL
            AND (s.into_column IS NULL OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = v.oid AND d.refobjsubid = e.attnum))
            AND (o.opcname = 'bit_hamming_ops' OR o.opcname LIKE CASE m.similarity WHEN 'cosine' THEN '%cosine_ops' WHEN 'dot' THEN '%ip_ops' ELSE '%l2_ops' END)
          ORDER BY o.opcname DESC LIMIT 1), t.typname = 'halfvec',
         CASE WHEN s.chunk_tokens IS NOT NULL OR s.on_overflow = 'chunk' THEN greatest(1, v.reltuples / greatest(c.reltuples, 1)) END, s.template
    INTO id, name, source_table, relation, alias, v_type, vectors, embedding, in_row, vectors_rows, v_vectors, keys, types, texts, dims, v_similarity, schema, kind, v_half, chunks, v_template
  FROM rowvec.source s JOIN rowvec.model m ON m.id = s.model_id
  LEFT JOIN pg_class c ON c.oid = s.source_table LEFT JOIN pg_class v ON v.oid = CASE WHEN s.into_column IS NULL THEN s.vector_table ELSE s.source_table END
  LEFT JOIN pg_attribute e ON e.attrelid = v.oid AND e.attname = coalesce(s.into_column, 'embedding') AND NOT e.attisdropped LEFT JOIN pg_type t ON t.oid = e.atttypid
  WHERE s.name = p_source;
  IF source_table IS NULL THEN
    PERFORM rowvec._source_id(p_source);
  ELSIF alias IS NULL OR v_vectors IS NULL THEN
    RAISE EXCEPTION 'the table of source "%" is gone', name USING ERRCODE = 'undefined_table', HINT = format('SELECT rowvec.unwatch(%L);', name);
  ELSIF p_row_type <> v_type THEN
    RAISE EXCEPTION 'source "%" watches %, not %', name, relation, format_type(p_row_type, NULL) USING ERRCODE = 'datatype_mismatch';
  END IF;
  IF embedding IS NULL THEN
    RAISE EXCEPTION 'the column with the vectors of source "%" is gone', name USING ERRCODE = 'undefined_column', HINT = 'SELECT problem FROM rowvec.status says what to do.';
  END IF;
  query := CASE WHEN v_half THEN format('$1::%s.halfvec(%s)', schema, dims) ELSE '$1' END;
  kind := CASE WHEN v_half AND kind = 'halfvec' THEN 'vector' ELSE kind END;   -- no rounding beyond the column's own
  IF chunks IS NOT NULL THEN
    row_text := rowvec._text_sql(alias, source_table, texts, v_template);
  END IF;
  operator := format('OPERATOR(%s.%s)', schema, CASE v_similarity WHEN 'cosine' THEN '<=>' WHEN 'dot' THEN '<#>' ELSE '<->' END);
END $fn$;
