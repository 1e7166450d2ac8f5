-- Purpose: the server's and pgvector's versions. Locks: none. Called by: doctor.
SELECT current_setting('server_version') AS server, current_setting('server_version_num')::integer AS server_number,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS vector_available,
       pg_notification_queue_usage() AS notify_usage
