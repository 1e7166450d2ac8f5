-- Does a daemon answer queries? It holds an advisory lock as long as its connection lives, so a dead one is known at
-- once: 1 for the loop-back, 2 for the mailbox. The class is 'rowv' in ASCII. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.listens(p_way integer) RETURNS boolean LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919907702 AND objid = p_way::oid
    AND objsubid = 2 AND granted
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
$$;
