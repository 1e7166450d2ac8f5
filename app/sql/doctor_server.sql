-- Purpose: the server's version, pgvector's and dblink's, and what the role may. Locks: none. Called by: doctor.
SELECT current_setting('server_version') AS server, current_setting('server_version_num')::integer AS server_number,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS vector_available,
       (SELECT extversion FROM pg_extension WHERE extname = 'dblink') AS dblink,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'dblink') AS dblink_available,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       pg_notification_queue_usage() AS notify_usage
