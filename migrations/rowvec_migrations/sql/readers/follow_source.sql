-- Keeps the rights to read vectors, and the functions that hold a source's search, in step with the catalogue: for a
-- new source, renamed keys, a source that ends. Locks: those of grant_vectors.
CREATE OR REPLACE FUNCTION rowvec_internal.follow_source() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_function regprocedure;
BEGIN
  IF TG_OP <> 'DELETE' THEN
    PERFORM rowvec_internal.grant_vectors(NEW.id);
    PERFORM rowvec_internal.prepare_search(NEW.id);
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM pg_class WHERE oid = OLD.vector_table) AND NOT EXISTS (SELECT FROM rowvec_internal.source
    WHERE vector_table = OLD.vector_table) THEN
    PERFORM rowvec_internal.ungrant_vectors(OLD.vector_table);
  END IF;
  FOR v_function IN SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = 'rowvec_internal'::regnamespace AND proname IN (format('source_%s_visible', OLD.id),
      format('source_%s_nearest', OLD.id))
  LOOP
    EXECUTE format('DROP FUNCTION %s', v_function);
  END LOOP;
  RETURN NULL;
END $fn$;
