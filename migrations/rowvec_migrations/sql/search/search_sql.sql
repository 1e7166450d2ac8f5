-- The statement of a search: $1 is the vector, $2 is k, $3 (in the exact one) the largest distance.
-- The filter stands in a sub-select that knows the source's columns only; the line break ends a comment in it.
-- Nearest: ordered by what the index holds, so that it is used, and p_wider times k of them, so that its scan goes on that far; then
-- by the true distance, since the index gives a relaxed order. The + 0 keeps the planner from taking the two orders for one.
-- Exact: ordered by an expression no index serves.
-- In column mode the vector comes out of the sub-select itself. One key column is spelt out, which saves four queries, 0.1 ms.
-- Without a filter, in strict order, it is what one would write by hand.
CREATE OR REPLACE FUNCTION rowvec_internal.search_sql(f record, p_typed boolean, p_filter text, p_exact boolean, p_wider float8 DEFAULT 1, p_per_row boolean DEFAULT true) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_vector   text;
  v_distance text;
  v_order    text;
  v_wider    integer := ceil(p_wider);
  v_keys     text;
  v_join     text;
  v_hit      text;
BEGIN
  IF p_filter IS NULL AND p_wider = 1 AND f.kind = 'vector' AND f.prepared IS NOT NULL AND NOT p_exact THEN
    RETURN CASE WHEN p_typed THEN pg_catalog.format('SELECT %s.*::%s AS hit, ', f.alias, f.relation) ELSE pg_catalog.format('SELECT %s.%I::text AS hit, ', f.alias, f.keys[1]) END || f.prepared;
  END IF;
  v_vector := CASE WHEN f.in_row THEN 's.vector' ELSE 'v.embedding' END;
  v_distance := pg_catalog.format('%s %s %s', v_vector, f.operator, f.query);
  v_order := v_distance;
  IF p_exact THEN
    v_order := pg_catalog.format('(%s) + 0.0::float8', v_distance);
  ELSIF f.kind = 'halfvec' THEN
    v_order := pg_catalog.format('%4$s::%1$s.halfvec(%2$s) %3$s $1::%1$s.halfvec(%2$s)', f.schema, f.dims, f.operator, v_vector);
    v_wider := greatest(2, v_wider);
  ELSIF f.kind = 'bit' THEN
    v_order := pg_catalog.format('%1$s.binary_quantize(%3$s)::bit(%2$s) OPERATOR(%1$s.<~>) %1$s.binary_quantize(%4$s)::bit(%2$s)', f.schema, f.dims, v_vector, f.query);
    v_wider := greatest(10, v_wider);
  END IF;
  IF pg_catalog.cardinality(f.keys) = 1 THEN
    v_keys := pg_catalog.format('%s.%I AS key1', f.alias, f.keys[1]);
    v_join := pg_catalog.format('s.key1 = v.%I', f.keys[1]);
    v_hit := pg_catalog.format('%s.%I::text', f.alias, f.keys[1]);
  ELSE
    SELECT pg_catalog.string_agg(pg_catalog.format('%s.%I AS key%s', f.alias, k, i), ', '), pg_catalog.string_agg(pg_catalog.format('s.key%s = v.%I', i, k), ' AND ')
      INTO v_keys, v_join FROM pg_catalog.unnest(f.keys) WITH ORDINALITY u(k, i);
    v_hit := rowvec_internal.key_text(f.alias, f.keys);
  END IF;
  IF p_typed THEN
    v_hit := pg_catalog.format('%s.*::%s', f.alias, f.relation);
  END IF;
  IF f.chunks IS NOT NULL THEN
    RETURN rowvec_internal.chunk_search_sql(f, v_hit, v_keys, v_join, p_filter, p_exact, v_distance, v_order, v_wider, p_per_row);
  END IF;
  IF f.in_row THEN
    RETURN pg_catalog.format(E'SELECT x.hit, x.distance, 0 AS chunk, NULL::text AS passage FROM (SELECT s.hit, %1$s AS distance FROM (SELECT %2$s.%3$s AS vector, %4$s AS hit FROM %5$s AS %2$s WHERE (%6$s\n)) s'
                   ' WHERE s.vector IS NOT NULL ORDER BY %7$s LIMIT $2 * %8$s) x%9$s ORDER BY x.distance + 0.0::float8 LIMIT $2',
      v_distance, f.alias, f.embedding, v_hit, f.relation, coalesce(p_filter, 'true'),
      v_order, v_wider, CASE WHEN p_exact THEN ' WHERE $3 IS NULL OR x.distance <= $3' ELSE '' END);
  END IF;
  RETURN pg_catalog.format(E'SELECT x.hit, x.distance, 0 AS chunk, NULL::text AS passage FROM (SELECT s.hit, %1$s AS distance FROM %2$s v JOIN (SELECT %3$s, %4$s AS hit FROM %5$s AS %6$s WHERE (%7$s\n)) s ON %8$s'
                 ' WHERE v.embedding IS NOT NULL ORDER BY %9$s LIMIT $2 * %10$s) x%11$s ORDER BY x.distance + 0.0::float8 LIMIT $2',
    v_distance, f.vectors, v_keys, v_hit, f.relation, f.alias, coalesce(p_filter, 'true'), v_join,
    v_order, v_wider, CASE WHEN p_exact THEN ' WHERE $3 IS NULL OR x.distance <= $3' ELSE '' END);
END $fn$;
