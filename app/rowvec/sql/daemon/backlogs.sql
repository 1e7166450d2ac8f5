-- Purpose: what the metrics say of each source. Locks: none. Reads the whole log, so it is asked once a heartbeat.
SELECT name, pending, dead, extract(epoch FROM lag)::float8 FROM rowvec.status
