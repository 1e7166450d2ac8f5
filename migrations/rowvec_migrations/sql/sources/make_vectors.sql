-- Makes the vector table of a source, or takes over the one that is there: the key columns as they are (type, length,
-- collation), then ours; in column mode without the vector, but with a checksum of it (`_sum`), by which a change of
-- the column is found. Locks: ACCESS EXCLUSIVE on the vector table, when a source with another recipe has it.
CREATE OR REPLACE FUNCTION rowvec_internal.make_vectors(s rowvec_internal.source, p_model rowvec_internal.model)
RETURNS regclass LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_vectors text := format('rowvec.%I', s.name || '_vectors');
  v_keys    text := (SELECT string_agg(quote_ident(k), ', ' ORDER BY i)
                     FROM unnest(s.key_columns) WITH ORDINALITY u(k, i));
  v_value   text := CASE WHEN s.into_column IS NOT NULL THEN '_sum bytea'
    ELSE format('embedding %s.vector(%s)', rowvec_internal.extension_schema('vector'), p_model.dims) END;
BEGIN
  IF to_regclass(v_vectors) IS NULL THEN
    EXECUTE format('CREATE TABLE %s WITH (fillfactor = 80) AS SELECT %s FROM %s WITH NO DATA', v_vectors, v_keys,
      s.source_table);
    EXECUTE format('ALTER TABLE %s ADD chunk integer NOT NULL DEFAULT 0, ADD %s, ADD _hash bytea,
                      ADD _truncated boolean NOT NULL DEFAULT false, ADD _version integer NOT NULL DEFAULT 1,
                      ADD _at timestamptz NOT NULL DEFAULT clock_timestamp(), ADD PRIMARY KEY (%s, chunk)',
                   v_vectors, v_value, v_keys);
    -- for the purge of tombstones
    EXECUTE format('CREATE INDEX ON %s (_at) WHERE chunk = 0 AND _hash IS NULL', v_vectors);
    EXECUTE format('COMMENT ON TABLE %s IS %L', v_vectors, CASE WHEN s.into_column IS NULL
      THEN 'Vectors of a source of rowvec, one row a chunk; join by the key columns. Only the daemon writes here.'
      ELSE 'Hashes of the texts and vectors of a source of rowvec; the vectors are in its table.'
           ' Only the daemon writes here.' END);
    -- inline while a row fits its page: an exact scan then reads no TOAST
    IF s.into_column IS NULL AND p_model.dims * 4 < 7800 THEN
      EXECUTE format('ALTER TABLE %s ALTER embedding SET STORAGE PLAIN', v_vectors);
    END IF;
  ELSIF coalesce((SELECT format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = v_vectors::regclass AND a.attname = 'embedding'), '')
        NOT LIKE (CASE WHEN s.into_column IS NULL THEN format('%%vector(%s)', p_model.dims) ELSE '' END)
      OR (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = v_vectors::regclass AND a.attnum BETWEEN 1 AND cardinality(s.key_columns)) IS DISTINCT
            FROM s.key_columns THEN
    RAISE EXCEPTION '% is there already, with other keys or vectors of another size', v_vectors
      USING ERRCODE = 'duplicate_table',
      HINT = format('DROP TABLE %s, or give another name: name => ''…''.', v_vectors);
  END IF;
  IF s.chunk_tokens IS NOT NULL OR s.on_overflow = 'chunk' THEN
    EXECUTE format('ALTER TABLE %s ADD COLUMN IF NOT EXISTS chunk_start integer,
                      ADD COLUMN IF NOT EXISTS chunk_end integer,
                      ADD COLUMN IF NOT EXISTS chunk_text text, ADD COLUMN IF NOT EXISTS _chunk_hash bytea', v_vectors);
  END IF;
  RETURN v_vectors::regclass;
END $fn$;
