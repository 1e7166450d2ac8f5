-- Purpose: the password that the mapping of a foreign server has for a role. Locks: none. The options are shown to the
-- mapping's owner and to superusers only. Called by: loopback.setup_loopback.
SELECT max(o.option_value) FILTER (WHERE o.option_name = 'password')
FROM pg_user_mappings m, pg_options_to_table(m.umoptions) o
WHERE m.srvname = %s
HAVING max(o.option_value) FILTER (WHERE o.option_name = 'user') = %s
