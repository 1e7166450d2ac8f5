-- Purpose: has a role rights that must not be lent to every session that searches? No row: there is no such role.
-- Locks: none. Called by: loopback.setup_loopback.
SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
       OR pg_has_role(r.oid, n.nspowner, 'MEMBER')
FROM pg_roles r, pg_namespace n
WHERE r.rolname = %s AND n.nspname = 'rowvec'
