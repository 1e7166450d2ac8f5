-- The token of this moment (every committed change has a lower seq), and what could keep wait() from ending.
CREATE FUNCTION rowvec._wait_facts(p_source smallint, OUT token bigint, OUT state text, OUT problem text, OUT pending bigint, OUT dead bigint, OUT daemons bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT (SELECT last_value FROM rowvec.change_seq), s.state, s.problem,
         (SELECT coalesce(sum(coalesce(cardinality(keys), 1)), 0) FROM rowvec.change WHERE source_id = p_source)::bigint,
         (SELECT count(*) FROM rowvec.dead WHERE source_id = p_source),
         (SELECT count(*) FROM rowvec.worker WHERE heartbeat_at > now() - interval '30 s' AND s.model_id = ANY (models))
  FROM rowvec.source s WHERE s.id = p_source
$$;
