-- One row a source: what waits, what failed, how far the backfill is, what is wrong, and its HNSW index.
-- access/comments.sql describes the columns. Locks: none. Scans the change log.
CREATE OR REPLACE VIEW rowvec.status AS
SELECT s.name, s.source_table::text AS table_name, m.name AS model, s.state,
       coalesce(c.pending, 0) AS pending, coalesce(c.leased, 0) AS leased, coalesce(c.retrying, 0) AS retrying,
       (SELECT count(*) FROM rowvec_internal.dead d WHERE d.source_id = s.id) AS dead,
       coalesce(greatest(clock_timestamp() - c.oldest, interval '0'), interval '0') AS lag,
       CASE WHEN b.phase = 'done' THEN 'done' ELSE b.phase END AS backfill,
       b.enqueued AS backfill_enqueued, greatest(b.estimate, b.enqueued) AS backfill_estimate,
       s.vector_table::text AS vector_table,
       (SELECT count(*) FROM rowvec_internal.daemon w WHERE w.heartbeat_at > now() - interval '30 s'
         AND s.model_id = ANY (w.models)) AS daemons,
       coalesce(s.problem, c.trouble) AS problem,
       CASE WHEN EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = t.oid) THEN 'building'
            WHEN i.valid THEN 'there' WHEN NOT i.valid THEN 'invalid' ELSE coalesce(s.index_kind, 'none') END AS index,
       coalesce(y.truncated, 0) AS truncated   -- texts beyond the model's limit, embedded by their beginning
FROM rowvec_internal.source s
JOIN rowvec_internal.model m ON m.id = s.model_id
LEFT JOIN rowvec_internal.backfill b ON b.source_id = s.id
LEFT JOIN rowvec_internal.tally y ON y.source_id = s.id
LEFT JOIN LATERAL (
  SELECT sum(coalesce(cardinality(keys), 1))::bigint AS pending, min(enqueued_at) FILTER (WHERE lane = 0) AS oldest,
         sum(cardinality(keys)) FILTER (WHERE daemon_id IS NOT NULL AND visible_at > now())::bigint AS leased,
         sum(cardinality(keys)) FILTER (WHERE last_error IS NOT NULL)::bigint AS retrying,
         -- given back uncharged: a full disk, a broken model
         max(last_error) FILTER (WHERE attempts = (daemon_id IS NOT NULL)::integer) AS trouble
  FROM rowvec_internal.change WHERE source_id = s.id) c ON true
LEFT JOIN pg_class t ON t.oid = CASE WHEN s.into_column IS NULL THEN s.vector_table ELSE s.source_table END
LEFT JOIN LATERAL (
  SELECT bool_or(x.indisvalid) AS valid
  FROM pg_index x JOIN pg_class r ON r.oid = x.indexrelid JOIN pg_am a ON a.oid = r.relam JOIN pg_depend d
    ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refobjid = t.oid
  JOIN pg_attribute f ON f.attrelid = t.oid AND f.attnum = d.refobjsubid AND f.attname = coalesce(s.into_column,
    'embedding')
  WHERE x.indrelid = t.oid AND a.amname = 'hnsw') i ON true
ORDER BY s.name;
