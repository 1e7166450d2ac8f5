-- The table of a source, for policies: by the source's number, since a policy that named the table would keep users
-- from dropping it. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.table_of(p_source smallint) RETURNS oid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT source_table::oid FROM rowvec_internal.source WHERE id = p_source
$$;
