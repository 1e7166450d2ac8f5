-- Purpose: the models that sources use, and how many daemons with a fresh heartbeat run each. Locks: none.
-- Called by: doctor.
SELECT m.name, count(DISTINCT d.id) FILTER (WHERE d.heartbeat_at > now() - interval '30 s') AS alive,
       count(DISTINCT d.id) FILTER (WHERE d.heartbeat_at <= now() - interval '30 s') AS silent
FROM rowvec_internal.model m
JOIN rowvec_internal.source s ON s.model_id = m.id
LEFT JOIN rowvec_internal.daemon d ON m.id = ANY (d.models)
GROUP BY m.id ORDER BY m.name
