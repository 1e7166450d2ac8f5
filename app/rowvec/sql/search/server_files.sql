-- Purpose: the server's data folder, the database's number, and whether we may COPY to files there. Locks: none.
-- Called by: mailbox.Mailbox.open. The setting is shown to superusers and members of pg_read_all_settings only.
SELECT current_setting('data_directory'), d.oid::bigint, r.rolsuper
FROM pg_database d, pg_roles r
WHERE d.datname = current_database() AND r.rolname = current_user
