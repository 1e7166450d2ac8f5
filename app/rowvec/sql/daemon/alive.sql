-- Purpose: is a daemon of this host alive? Its heartbeat comes every 5 s at least. Locks: none. Called by:
-- registration.is_alive.
SELECT EXISTS (SELECT FROM rowvec_internal.daemon WHERE name = %s AND heartbeat_at > now() - interval '30 s')
