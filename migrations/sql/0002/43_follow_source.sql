-- Keeps the rights to read vectors in step with the catalogue: a new source, renamed keys, a source that ends.
CREATE FUNCTION rowvec._follow_source() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
  IF TG_OP <> 'DELETE' THEN
    PERFORM rowvec._grant_vectors(NEW.id);
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM pg_class WHERE oid = OLD.vector_table) AND NOT EXISTS (SELECT FROM rowvec.source WHERE vector_table = OLD.vector_table) THEN
    PERFORM rowvec._ungrant_vectors(OLD.vector_table);
  END IF;
  EXECUTE format('DROP FUNCTION IF EXISTS rowvec.source_%s_visible(record)', OLD.id);
  RETURN NULL;
END $fn$;
