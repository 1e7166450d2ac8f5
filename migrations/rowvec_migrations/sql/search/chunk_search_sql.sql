-- The statement of a search among chunks, as search_sql makes it for rows; $4 is how many times as many chunks the
-- index must give. Per row: of the nearest chunks the best of each row, then the k rows; if fewer come, search() asks
-- again, for more. What is shown of a row is looked up for those k only. A passage that was not stored is cut out of
-- the row's text as it is now. Locks: none. Called by search_sql.
CREATE OR REPLACE FUNCTION rowvec_internal.chunk_search_sql(
  f record, p_hit text, p_keys text, p_join text, p_filter text, p_exact boolean, p_distance text, p_order text,
  p_wider integer, p_per_row boolean
) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_keys    text;   -- of a chunk that was found: x.key1, x.key2, …
  v_row     text;   -- the row that it is of
  v_chunk   text;   -- the chunk itself
  v_rows    text;
  v_found   text;
  v_best    text;
  v_passage text;
BEGIN
  SELECT string_agg('x.key' || i, ', '), string_agg(format('%s.%I = _rowvec.key%s', f.alias, k, i), ' AND '),
         string_agg(format('_chunk.%I = _rowvec.key%s', k, i), ' AND ')
    INTO v_keys, v_row, v_chunk FROM unnest(f.keys) WITH ORDINALITY u(k, i);
  v_rows := format(E'SELECT %s FROM %s AS %s WHERE (%s\n)', p_keys, f.relation, f.alias, coalesce(p_filter, 'true'));
  v_found := format('SELECT s.*, %s AS distance, v.chunk FROM %s v JOIN (%s) s ON %s WHERE v.embedding IS NOT NULL',
                    p_distance, f.vectors, v_rows, p_join);
  IF NOT p_exact THEN
    v_found := format('%s ORDER BY %s LIMIT $2 * %s * $4', v_found, p_order, p_wider);
  END IF;
  v_best := format('SELECT %s x.* FROM (%s) x%s%s',
                   CASE WHEN p_per_row THEN format('DISTINCT ON (%s)', v_keys) END, v_found,
                   CASE WHEN p_exact THEN ' WHERE $3 IS NULL OR x.distance <= $3' END,
                   CASE WHEN p_per_row THEN format(' ORDER BY %s, x.distance + 0.0::float8', v_keys) END);
  v_passage := format('coalesce(_chunk.chunk_text, pg_catalog.substr(%s, _chunk.chunk_start + 1,'
                      ' _chunk.chunk_end - _chunk.chunk_start))', f.row_text);
  RETURN format('SELECT %s AS hit, _rowvec.distance, _rowvec.chunk, %s AS passage'
                ' FROM (SELECT y.* FROM (%s) y ORDER BY y.distance + 0.0::float8 LIMIT $2) _rowvec'
                ' JOIN %s _chunk ON %s AND _chunk.chunk = _rowvec.chunk JOIN %s AS %s ON %s ORDER BY _rowvec.distance',
                p_hit, v_passage, v_best, f.vectors, v_chunk, f.relation, f.alias, v_row);
END $fn$;
