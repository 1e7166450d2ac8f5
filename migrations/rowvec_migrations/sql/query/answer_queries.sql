-- Answers query texts with their vectors. Called by the daemon. Index: the primary key.
CREATE OR REPLACE FUNCTION rowvec_internal.answer_queries(p_ids uuid[], p_vectors vector[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE rowvec_internal.query q SET answer = a.vector FROM unnest(p_ids, p_vectors) a(id, vector) WHERE q.id = a.id;
END $$;
