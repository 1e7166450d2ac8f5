-- What search must know of a source, which the caller may not read in the catalogue: names, ready to stand in a
-- statement. By the source's name, or by its table's row type where the name is not given.
-- `kind` is what the index holds: vector, halfvec or bit; NULL where there is no valid HNSW index.
CREATE FUNCTION rowvec._search_facts(p_source text, p_row_type oid, OUT id smallint, OUT name text, OUT source_table oid, OUT relation text, OUT alias text, OUT vectors text,
  OUT vectors_rows float8, OUT keys name[], OUT types text[], OUT texts name[], OUT dims integer, OUT operator text, OUT schema text, OUT kind text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_similarity text;
  v_vectors    oid;
  v_type       oid;
BEGIN
  IF p_source IS NULL THEN
    SELECT min(s.name) INTO p_source FROM rowvec.source s JOIN pg_class c ON c.oid = s.source_table WHERE c.reltype = p_row_type HAVING count(*) = 1;
    IF p_source IS NULL THEN
      RAISE EXCEPTION '%', CASE WHEN EXISTS (SELECT FROM rowvec.source s JOIN pg_class c ON c.oid = s.source_table WHERE c.reltype = p_row_type)
          THEN format('more than one source watches %s', format_type(p_row_type, NULL)) ELSE format('no source watches %s', format_type(p_row_type, NULL)) END
        USING ERRCODE = 'undefined_object', HINT = 'Name the source: source => ''…''; SELECT name FROM rowvec.status lists them.';
    END IF;
  END IF;
  SELECT s.id, s.name, s.source_table::oid, s.source_table::text, quote_ident(c.relname), c.reltype, s.vector_table::text, greatest(v.reltuples, 0), v.oid,
         s.key_columns, s.key_types, s.text_columns, m.dims, m.similarity, (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'),
         (SELECT split_part(o.opcname, '_', 1) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam JOIN pg_opclass o ON o.oid = i.indclass[0]
          WHERE i.indrelid = s.vector_table AND i.indisvalid AND a.amname = 'hnsw'
            AND (o.opcname = 'bit_hamming_ops' OR o.opcname LIKE CASE m.similarity WHEN 'cosine' THEN '%cosine_ops' WHEN 'dot' THEN '%ip_ops' ELSE '%l2_ops' END)
          ORDER BY o.opcname DESC LIMIT 1)
    INTO id, name, source_table, relation, alias, v_type, vectors, vectors_rows, v_vectors, keys, types, texts, dims, v_similarity, schema, kind
  FROM rowvec.source s JOIN rowvec.model m ON m.id = s.model_id
  LEFT JOIN pg_class c ON c.oid = s.source_table LEFT JOIN pg_class v ON v.oid = s.vector_table
  WHERE s.name = p_source;
  IF source_table IS NULL THEN
    PERFORM rowvec._source_id(p_source);
  ELSIF alias IS NULL OR v_vectors IS NULL THEN
    RAISE EXCEPTION 'the table of source "%" is gone', name USING ERRCODE = 'undefined_table', HINT = format('SELECT rowvec.unwatch(%L);', name);
  ELSIF p_row_type <> v_type THEN
    RAISE EXCEPTION 'source "%" watches %, not %', name, relation, format_type(p_row_type, NULL) USING ERRCODE = 'datatype_mismatch';
  END IF;
  operator := format('OPERATOR(%s.%s)', schema, CASE v_similarity WHEN 'cosine' THEN '<=>' WHEN 'dot' THEN '<#>' ELSE '<->' END);
END $fn$;
