-- What search must know of a source, which the caller may not read in the catalogue: names, ready to stand in a
-- statement. By the source's name, or by its table's row type where the name is not given. `vectors` and `embedding`
-- are the table and column of the vectors: in column mode (`in_row`) the source's own, and `query` is $1 as what that
-- column holds. `kind` is what the index holds: vector (the same as the column), halfvec or bit; NULL where there is
-- no valid HNSW index over the column and every row. `chunks` is how many vectors a row has, about, where its text is
-- cut into chunks, else NULL, as is `row_text`, the expression that makes its text. `prepared` is what follows the
-- hit in the statement of a search without a filter, where that is as one would write it by hand. One small query per
-- fact: joined in one, with what each carries on to the next, they took twice as long, 0.12 ms instead of 0.07, and
-- 0.10 with sequential scans of small catalogues; with plans made anew for their values 0.2, and 100 where the price
-- of a scan that is off had them compiled.
CREATE OR REPLACE FUNCTION rowvec_internal.search_facts(
  p_source text, p_row_type oid, OUT id smallint, OUT name text, OUT source_table oid, OUT relation text,
  OUT alias text, OUT vectors text, OUT embedding text, OUT in_row boolean, OUT query text, OUT vectors_rows float8,
  OUT keys name[], OUT types text[], OUT texts name[], OUT dims integer, OUT operator text, OUT schema text,
  OUT kind text, OUT chunks float8, OUT row_text text, OUT prepared text, OUT index text
) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $fn$
#variable_conflict use_column
DECLARE
  s             rowvec_internal.source;
  v_vectors     regclass;
  v_source_rows float8;
  v_similarity  text;
  v_number      smallint;
  v_type        text;
  v_on          oid[];   -- in column mode: what depends on the column, our index among it
  v_classes     oid[];
BEGIN
  IF p_source IS NULL THEN
    p_source := rowvec_internal.source_of(p_row_type);
  END IF;
  SELECT * INTO s FROM rowvec_internal.source x WHERE x.name = p_source;
  IF s.id IS NULL THEN
    PERFORM rowvec_internal.source_id(p_source);
  END IF;
  id := s.id;
  name := s.name;
  source_table := s.source_table;
  relation := s.source_table;
  keys := s.key_columns;
  types := s.key_types;
  texts := s.text_columns;
  in_row := s.into_column IS NOT NULL;
  v_vectors := CASE WHEN in_row THEN s.source_table ELSE s.vector_table END;
  vectors := v_vectors;
  SELECT m.dims, m.similarity INTO dims, v_similarity FROM rowvec_internal.model m WHERE m.id = s.model_id;
  SELECT quote_ident(c.relname), c.reltuples INTO alias, v_source_rows FROM pg_class c WHERE c.oid = s.source_table;
  -- the latter before the first ANALYZE, too
  SELECT greatest(c.reltuples, pg_stat_get_live_tuples(c.oid)) INTO vectors_rows FROM pg_class c
    WHERE c.oid = v_vectors;
  SELECT quote_ident(e.attname), e.attnum, e.atttypid::regtype INTO embedding, v_number, v_type FROM pg_attribute e
  WHERE e.attrelid = v_vectors AND e.attname = coalesce(s.into_column, 'embedding') AND NOT e.attisdropped;
  IF alias IS NULL OR vectors_rows IS NULL THEN
    RAISE EXCEPTION 'the table of source "%" is gone', name USING ERRCODE = 'undefined_table',
      HINT = format('SELECT rowvec.unwatch(%L);', name);
  ELSIF relation <> format_type(p_row_type, NULL) THEN   -- a table and the type of its rows have one name
    RAISE EXCEPTION 'source "%" watches %, not %', name, relation, format_type(p_row_type, NULL)
      USING ERRCODE = 'datatype_mismatch';
  ELSIF embedding IS NULL THEN
    RAISE EXCEPTION 'the column with the vectors of source "%" is gone', name USING ERRCODE = 'undefined_column',
      HINT = 'SELECT problem FROM rowvec.status says what to do.';
  END IF;

  IF in_row THEN
    SELECT array_agg(d.objid) INTO v_on FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass
      AND d.refobjid = v_vectors AND d.refobjsubid = v_number AND d.classid = 'pg_class'::regclass;
    v_on := coalesce(v_on, '{}');
  END IF;
  SELECT array_agg(i.indexrelid), array_agg(i.indclass[0]) INTO v_on, v_classes FROM pg_index i
  WHERE i.indrelid = v_vectors AND i.indisvalid AND NOT i.indisunique AND i.indpred IS NULL
    AND (v_on IS NULL OR i.indexrelid = ANY (v_on));
  IF v_on IS NOT NULL THEN
    SELECT split_part(o.opcname, '_', 1), v_on[array_position(v_classes, o.oid)]::regclass INTO kind, index
      FROM pg_opclass o
    WHERE o.oid = ANY (v_classes) AND o.opcmethod = (SELECT a.oid FROM pg_am a WHERE a.amname = 'hnsw')
      AND (o.opcname = 'bit_hamming_ops' OR o.opcname LIKE CASE v_similarity WHEN 'cosine' THEN '%cosine_ops'
        WHEN 'dot' THEN '%ip_ops' ELSE '%l2_ops' END)
    ORDER BY o.opcname DESC LIMIT 1;
  END IF;
  schema := left(v_type, -length(CASE WHEN v_type LIKE '%.halfvec' THEN '.halfvec' ELSE '.vector' END));
  operator := format('OPERATOR(%s.%s)', schema, CASE v_similarity WHEN 'cosine' THEN '<=>' WHEN 'dot' THEN '<#>'
    ELSE '<->' END);
  query := '$1';
  IF v_type LIKE '%.halfvec' THEN
    query := format('$1::%s.halfvec(%s)', schema, dims);
    kind := CASE WHEN kind = 'halfvec' THEN 'vector' ELSE kind END;   -- no rounding beyond the column's own
  END IF;
  IF s.chunk_tokens IS NOT NULL OR s.on_overflow = 'chunk' THEN
    chunks := greatest(1, vectors_rows / greatest(v_source_rows, 1));
    row_text := rowvec_internal.text_sql(alias, source_table, texts, s.template);
  ELSIF cardinality(keys) > 1 THEN
    NULL;
  ELSIF in_row THEN
    prepared := format('%1$s.%2$s %3$s %4$s AS distance, 0 AS chunk, NULL::text AS passage FROM %5$s AS %1$s'
                       ' WHERE %1$s.%2$s IS NOT NULL ORDER BY %1$s.%2$s %3$s %4$s LIMIT $2',
      alias, embedding, operator, query, relation);
  ELSE
    prepared := format('_rowvec.embedding %1$s %2$s AS distance, 0 AS chunk, NULL::text AS passage FROM %3$s _rowvec'
                       ' JOIN %4$s AS %5$s ON %5$s.%6$I = _rowvec.%6$I'
                    ' WHERE _rowvec.embedding IS NOT NULL ORDER BY _rowvec.embedding %1$s %2$s LIMIT $2',
      operator, query, vectors, relation, alias, keys[1]);
  END IF;
END $fn$;
