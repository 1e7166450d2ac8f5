-- The statement of a search among chunks, as _search_sql: $4 is how many times as many of them the index must give.
-- Per row: of the nearest chunks, the best of each row, then the k rows; if fewer come, search() asks again, for more. What is shown
-- of a row is looked up for those k only. A passage that was not stored is cut out of the row's text as it is now.
CREATE OR REPLACE FUNCTION rowvec_internal.chunk_search_sql(f record, p_hit text, p_keys text, p_join text, p_filter text, p_exact boolean, p_distance text, p_order text, p_wider integer, p_per_row boolean)
RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_names text;
  v_row   text;
  v_chunk text;
BEGIN
  SELECT pg_catalog.string_agg('x.key' || i, ', '), pg_catalog.string_agg(pg_catalog.format('%s.%I = _rowvec.key%s', f.alias, k, i), ' AND '),
         pg_catalog.string_agg(pg_catalog.format('_chunk.%I = _rowvec.key%s', k, i), ' AND ')
    INTO v_names, v_row, v_chunk FROM pg_catalog.unnest(f.keys) WITH ORDINALITY u(k, i);
  RETURN pg_catalog.format(E'SELECT %1$s AS hit, _rowvec.distance, _rowvec.chunk, coalesce(_chunk.chunk_text, pg_catalog.substr(%2$s, _chunk.chunk_start + 1, _chunk.chunk_end - _chunk.chunk_start)) AS passage'
      ' FROM (SELECT y.* FROM (SELECT %3$s x.* FROM (SELECT s.*, %4$s AS distance, v.chunk FROM %5$s v JOIN (SELECT %6$s FROM %7$s AS %8$s WHERE (%9$s\n)) s ON %10$s WHERE v.embedding IS NOT NULL%11$s) x%12$s%13$s) y'
      ' ORDER BY y.distance + 0.0::float8 LIMIT $2) _rowvec JOIN %5$s _chunk ON %14$s AND _chunk.chunk = _rowvec.chunk JOIN %7$s AS %8$s ON %15$s ORDER BY _rowvec.distance',
    p_hit, f.row_text, CASE WHEN p_per_row THEN pg_catalog.format('DISTINCT ON (%s)', v_names) ELSE '' END, p_distance, f.vectors, p_keys, f.relation, f.alias, coalesce(p_filter, 'true'), p_join,
    CASE WHEN p_exact THEN '' ELSE pg_catalog.format(' ORDER BY %s LIMIT $2 * %s * $4', p_order, p_wider) END, CASE WHEN p_exact THEN ' WHERE $3 IS NULL OR x.distance <= $3' ELSE '' END,
    CASE WHEN p_per_row THEN pg_catalog.format(' ORDER BY %s, x.distance + 0.0::float8', v_names) ELSE '' END, v_chunk, v_row);
END $fn$;
