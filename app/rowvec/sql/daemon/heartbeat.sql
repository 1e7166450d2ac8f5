-- Purpose: say that this process lives. An upsert: a crash of the server may have lost the row.
INSERT INTO rowvec.worker (id, name, pid, models) VALUES (%(worker)s, %(name)s, %(pid)s, %(models)s)
ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), models = EXCLUDED.models
