-- The name of the source that watches the table with this row type; an error unless it is exactly one.
CREATE OR REPLACE FUNCTION rowvec_internal.source_of(p_row_type oid) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  v_relation oid;
  v_name     text;
  v_sources  bigint;
BEGIN
  SELECT t.typrelid INTO v_relation FROM pg_type t WHERE t.oid = p_row_type;
  SELECT min(s.name), count(*) INTO v_name, v_sources FROM rowvec_internal.source s WHERE s.source_table = v_relation;
  IF v_sources <> 1 THEN
    RAISE EXCEPTION '% %', CASE v_sources WHEN 0 THEN 'no source watches' ELSE 'more than one source watches' END,
      format_type(p_row_type, NULL)
      USING ERRCODE = 'undefined_object',
        HINT = 'Name the source: source => ''…''; SELECT name FROM rowvec.status lists them.';
  END IF;
  RETURN v_name;
END $fn$;
