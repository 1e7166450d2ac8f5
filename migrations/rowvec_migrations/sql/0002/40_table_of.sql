-- The table of a source, for policies: by number, since a policy that named the table would keep users from dropping it.
CREATE FUNCTION rowvec._table_of(p_source smallint) RETURNS oid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT source_table::oid FROM rowvec.source WHERE id = p_source
$$;
