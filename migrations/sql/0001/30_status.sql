-- One line a source: what waits, what failed, how far the backfill is, what is wrong. `lag` is the number to alert on.
CREATE VIEW rowvec.status AS
SELECT s.name, s.source_table::text AS table_name, m.name AS model, s.state,
       coalesce(c.pending, 0) AS pending, coalesce(c.leased, 0) AS leased, coalesce(c.retrying, 0) AS retrying,
       (SELECT count(*) FROM rowvec.dead d WHERE d.source_id = s.id) AS dead,
       coalesce(greatest(clock_timestamp() - c.oldest, interval '0'), interval '0') AS lag,
       CASE WHEN b.phase = 'done' THEN 'done' ELSE b.phase END AS backfill,
       b.enqueued AS backfill_enqueued, greatest(b.estimate, b.enqueued) AS backfill_estimate,
       s.vector_table::text AS vector_table,
       (SELECT count(*) FROM rowvec.worker w WHERE w.heartbeat_at > now() - interval '30 s' AND s.model_id = ANY (w.models)) AS daemons,
       s.problem
FROM rowvec.source s
JOIN rowvec.model m ON m.id = s.model_id
LEFT JOIN rowvec.backfill b ON b.source_id = s.id
LEFT JOIN LATERAL (
  SELECT sum(coalesce(cardinality(keys), 1))::bigint AS pending, min(enqueued_at) FILTER (WHERE lane = 0) AS oldest,
         sum(cardinality(keys)) FILTER (WHERE worker_id IS NOT NULL AND visible_at > now())::bigint AS leased,
         sum(cardinality(keys)) FILTER (WHERE last_error IS NOT NULL)::bigint AS retrying
  FROM rowvec.change WHERE source_id = s.id) c ON true
ORDER BY s.name;
