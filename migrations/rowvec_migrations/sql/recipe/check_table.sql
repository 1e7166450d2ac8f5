-- Refuses what cannot be watched: views, temporary and foreign tables. Locks: none. Called by watch.
CREATE OR REPLACE FUNCTION rowvec_internal.check_table(p_table regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_class pg_catalog.pg_class;
BEGIN
  SELECT * INTO STRICT v_class FROM pg_catalog.pg_class c WHERE c.oid = p_table;
  IF v_class.relkind NOT IN ('r', 'p') OR v_class.relpersistence = 't' THEN
    RAISE EXCEPTION '% is not a table that can be watched: it is %', rowvec_internal.table_name(p_table),
      CASE WHEN v_class.relpersistence = 't' THEN 'a temporary table' WHEN v_class.relkind = 'v' THEN 'a view'
           WHEN v_class.relkind = 'm' THEN 'a materialised view' WHEN v_class.relkind = 'f' THEN 'a foreign table'
           ELSE format('of kind "%s"', v_class.relkind) END
      USING ERRCODE = 'wrong_object_type', HINT = 'Watch the table that holds the text.';
  END IF;
END $fn$;
