-- The token of this moment (every committed change has a lower seq), and what could keep wait() from ending. Locks:
-- none.
CREATE OR REPLACE FUNCTION rowvec_internal.wait_facts(p_source smallint, OUT token bigint, OUT state text,
  OUT problem text, OUT pending bigint, OUT dead bigint, OUT daemons bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT (SELECT last_value FROM rowvec_internal.change_seq), s.state, s.problem,
         (SELECT coalesce(sum(coalesce(cardinality(keys), 1)), 0) FROM rowvec_internal.change
           WHERE source_id = p_source)::bigint,
         (SELECT count(*) FROM rowvec_internal.dead WHERE source_id = p_source),
         (SELECT count(*) FROM rowvec_internal.daemon WHERE heartbeat_at > now() - interval '30 s'
           AND s.model_id = ANY (models))
  FROM rowvec_internal.source s WHERE s.id = p_source
$$;
