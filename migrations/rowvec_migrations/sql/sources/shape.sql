-- Which tables and files a source consists of. It changes where no trigger fires: ATTACH and DETACH of a partition,
-- TRUNCATE of one, a rewrite, a restore from a dump. The daemon then compares every row. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.shape(p_table regclass) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE tree(oid) AS (
    SELECT p_table::oid UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
      AND NOT i.inhdetachpending
  )
  SELECT md5(string_agg(c.oid || ':' || c.relfilenode, ' ' ORDER BY c.oid)) FROM tree JOIN pg_class c USING (oid)
$$;
