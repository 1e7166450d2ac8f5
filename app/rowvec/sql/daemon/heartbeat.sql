-- Purpose: say that this process lives. An upsert: a crash of the server may have lost the row.
INSERT INTO rowvec_internal.daemon (id, name, pid, started_at, models)
VALUES (%(daemon)s, %(name)s, %(pid)s, to_timestamp(%(started)s), %(models)s)
ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), models = EXCLUDED.models
