-- The vector of a text, with the model's query prompt. STABLE, so that ORDER BY embedding <=> rowvec.embed('…') can
-- use the index; what it calls is VOLATILE, so that it polls with fresh snapshots. Were this VOLATILE, 5,000 rows
-- would be sorted whole, in 7.6 s.
CREATE OR REPLACE FUNCTION rowvec.embed(query text, source text DEFAULT NULL, model text DEFAULT NULL) RETURNS vector
LANGUAGE plpgsql STABLE COST 100000
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN rowvec_internal.query_vector(query, source, model);
END $$;
