-- Ends a source: its triggers, functions, waiting changes and dead letters go; its vectors only when asked, and a
-- column of the table only where watch made it.
-- Locks: ACCESS EXCLUSIVE on the source's table, briefly.
CREATE OR REPLACE FUNCTION rowvec.unwatch(name text, drop_vectors boolean DEFAULT false) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_id smallint := rowvec_internal.source_id(name);
  v_source rowvec_internal.source;
BEGIN
  PERFORM rowvec_internal.drop_triggers(v_id);
  EXECUTE format('DROP FUNCTION IF EXISTS rowvec_internal.source_%1$s_statement(), rowvec_internal.source_%1$s_row(),'
                 ' rowvec_internal.source_%1$s_truncate(), '
          'rowvec_internal.source_%1$s_gather(text, text), rowvec_internal.source_%1$s_flush()', v_id);
  DELETE FROM rowvec_internal.source s WHERE s.id = v_id RETURNING * INTO v_source;
  DELETE FROM rowvec_internal.change c WHERE c.source_id = v_id;
  DELETE FROM rowvec_internal.dead d WHERE d.source_id = v_id;
  IF drop_vectors AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = v_source.vector_table) THEN
    EXECUTE format('DROP TABLE IF EXISTS %s', v_source.vector_table);
  END IF;
  IF drop_vectors AND v_source.into_made AND EXISTS (SELECT FROM pg_catalog.pg_class c
    WHERE c.oid = v_source.source_table) THEN
    EXECUTE format('ALTER TABLE %s DROP COLUMN IF EXISTS %I', v_source.source_table, v_source.into_column);
  ELSIF drop_vectors AND v_source.into_column IS NOT NULL THEN
    RAISE NOTICE 'column "%" of % was there before, and stays with its vectors', v_source.into_column,
      rowvec_internal.table_name(v_source.source_table);
  END IF;
  EXECUTE format('DROP TYPE IF EXISTS rowvec_internal.source_%s_key', v_id);
END $fn$;
