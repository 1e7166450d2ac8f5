-- The statement of a search: $1 is the vector, $2 is k, $3 (in the exact one) the largest distance. The filter stands
-- in a sub-select that knows the source's columns only; the line break ends a comment in it. By the index: ordered by
-- what the index holds, so that it is used, and p_wider times k rows, so that its scan goes on that far; then by the
-- true distance, since the index gives a relaxed order. The + 0 keeps the planner from taking the two orders for one.
-- Exact: ordered by an expression that no index serves.
-- In column mode the vector comes out of the sub-select itself. One key column is written out here, which saves four
-- queries, 0.1 ms. Without a filter, in strict order, it is what one would write by hand (search_facts.prepared).
-- Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.search_sql(
  f record, p_typed boolean, p_filter text, p_exact boolean, p_wider float8 DEFAULT 1, p_per_row boolean DEFAULT true
) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_hit      text;      -- what the search returns of a row: its key as text, or the row itself
  v_vector   text := CASE WHEN f.in_row THEN 's.vector' ELSE 'v.embedding' END;
  v_distance text;      -- the true distance
  v_order    text;      -- what the index is ordered by
  v_wider    integer := ceil(p_wider);
  v_keys     text;      -- the key columns in the sub-select, as key1, key2, …
  v_join     text;      -- the same compared with those of the vector table
  v_rows     text;      -- the source's rows that pass the filter
  v_within   text;      -- the largest distance
BEGIN
  v_hit := CASE WHEN p_typed THEN format('%s.*::%s', f.alias, f.relation)
                WHEN cardinality(f.keys) = 1 THEN format('%s.%I::text', f.alias, f.keys[1])
                ELSE rowvec_internal.key_text(f.alias, f.keys) END;
  IF p_filter IS NULL AND p_wider = 1 AND f.kind = 'vector' AND f.prepared IS NOT NULL AND NOT p_exact THEN
    RETURN format('SELECT %s AS hit, %s', v_hit, f.prepared);
  END IF;

  v_distance := format('%s %s %s', v_vector, f.operator, f.query);
  v_order := v_distance;
  IF p_exact THEN
    v_order := format('(%s) + 0.0::float8', v_distance);
  ELSIF f.kind = 'halfvec' THEN
    v_order := format('%2$s::%1$s %3$s $1::%1$s', format('%s.halfvec(%s)', f.schema, f.dims), v_vector, f.operator);
    v_wider := greatest(2, v_wider);
  ELSIF f.kind = 'bit' THEN
    v_order := format('%1$s.binary_quantize(%3$s)::bit(%2$s) OPERATOR(%1$s.<~>) %1$s.binary_quantize(%4$s)::bit(%2$s)',
                      f.schema, f.dims, v_vector, f.query);
    v_wider := greatest(10, v_wider);
  END IF;
  IF cardinality(f.keys) = 1 THEN
    v_keys := format('%s.%I AS key1', f.alias, f.keys[1]);
    v_join := format('s.key1 = v.%I', f.keys[1]);
  ELSE
    SELECT string_agg(format('%s.%I AS key%s', f.alias, k, i), ', '),
           string_agg(format('s.key%s = v.%I', i, k),
      ' AND ')
      INTO v_keys, v_join FROM unnest(f.keys) WITH ORDINALITY u(k, i);
  END IF;
  IF f.chunks IS NOT NULL THEN
    RETURN rowvec_internal.chunk_search_sql(
      f, v_hit, v_keys, v_join, p_filter, p_exact, v_distance, v_order, v_wider, p_per_row);
  END IF;

  v_rows := format(E'FROM %s AS %s WHERE (%s\n)', f.relation, f.alias, coalesce(p_filter, 'true'));
  IF f.in_row THEN
    v_rows := format('(SELECT %s.%s AS vector, %s AS hit %s) s', f.alias, f.embedding, v_hit, v_rows);
  ELSE
    v_rows := format('%s v JOIN (SELECT %s, %s AS hit %s) s ON %s', f.vectors, v_keys, v_hit, v_rows, v_join);
  END IF;
  v_within := CASE WHEN p_exact THEN ' WHERE $3 IS NULL OR x.distance <= $3' ELSE '' END;
  RETURN format('SELECT x.hit, x.distance, 0 AS chunk, NULL::text AS passage'
                ' FROM (SELECT s.hit, %s AS distance FROM %s WHERE %s IS NOT NULL ORDER BY %s LIMIT $2 * %s) x%s'
                ' ORDER BY x.distance + 0.0::float8 LIMIT $2',
                v_distance, v_rows, v_vector, v_order, v_wider, v_within);
END $fn$;
