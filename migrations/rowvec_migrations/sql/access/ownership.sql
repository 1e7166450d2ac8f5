-- One owner for everything that rowvec made: that of schema rowvec_internal. A source that somebody else watched left
-- trigger functions behind that would run with that role's rights, and that the owner could not replace.
-- Vector tables keep their owner. Locks: ACCESS EXCLUSIVE on a view or table of ours whose owner is another.
DO $$
DECLARE
  v_owner   oid := (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'rowvec_internal');
  v_foreign record;
BEGIN
  FOR v_foreign IN
    SELECT 'ROUTINE' AS kind, p.oid::regprocedure::text AS name, p.proowner AS owner
    FROM pg_proc p WHERE p.pronamespace IN ('rowvec'::regnamespace, 'rowvec_internal'::regnamespace)
    UNION ALL
    SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text,
      c.relowner
    FROM pg_class c
    WHERE c.relnamespace = 'rowvec_internal'::regnamespace AND c.relkind IN ('r', 'v', 'S')
          -- identities follow their table
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
       OR c.relnamespace = 'rowvec'::regnamespace AND c.relname IN ('status', 'errors') AND c.relkind = 'v'
    UNION ALL
    SELECT 'TYPE', t.oid::regtype::text, t.typowner
    FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace = 'rowvec_internal'::regnamespace AND c.relkind = 'c'
  LOOP
    CONTINUE WHEN v_foreign.owner = v_owner;
    IF pg_has_role(v_foreign.owner, 'USAGE') AND pg_has_role(v_owner, 'USAGE') THEN
      EXECUTE format('ALTER %s %s OWNER TO %I', v_foreign.kind, v_foreign.name, pg_get_userbyid(v_owner));
    ELSE
      RAISE WARNING '% belongs to role %, not to %: run `rowvec migrate` as a superuser once',
        v_foreign.name, pg_get_userbyid(v_foreign.owner), pg_get_userbyid(v_owner);
    END IF;
  END LOOP;
END $$;
