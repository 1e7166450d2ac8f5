-- A source's id by its name; an error that lists the names when there is none.
CREATE OR REPLACE FUNCTION rowvec_internal.source_id(p_name text) RETURNS smallint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id smallint;
BEGIN
  SELECT id INTO v_id FROM rowvec_internal.source WHERE name = p_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no source "%"', p_name USING ERRCODE = 'undefined_object',
      HINT = coalesce('Sources: ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM rowvec_internal.source) ||
        '.', 'Begin with SELECT rowvec.watch(''table'', ''column'').');
  END IF;
  RETURN v_id;
END $$;
