-- What a search by source_N_nearest must know; all NULL where those functions do not exist or the table was renamed
-- since: then search_facts is asked. Index: the names of the sources, and primary keys. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.ready(
  p_source text, p_row_type oid, OUT id smallint, OUT source_table oid, OUT relation text, OUT vectors_rows float8
) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $fn$
#variable_conflict use_column
BEGIN
  SELECT s.id, s.source_table, p.relation, greatest(v.reltuples, pg_stat_get_live_tuples(v.oid)) INTO id,
    source_table, relation, vectors_rows
  FROM rowvec_internal.source s JOIN rowvec_internal.prepared_search p ON p.source_id = s.id
  JOIN pg_class v ON v.oid = CASE WHEN s.into_column IS NULL THEN s.vector_table ELSE s.source_table END
  WHERE s.name = p_source AND p.relation = s.source_table::text AND p.vectors = v.oid::regclass::text
    AND to_regclass(p.index) IS NOT NULL
    AND (p_row_type IS NULL OR format_type(p_row_type, NULL) = p.relation);
END $fn$;
