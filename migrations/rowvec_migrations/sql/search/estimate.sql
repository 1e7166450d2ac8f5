-- What the planner thinks of reading the source's rows that pass a filter, and the policies of row-level security: how
-- many, at what cost. With the caller's rights. A cursor, so that a filter can hold no second statement; VOLATILE,
-- because EXPLAIN is refused elsewhere.
CREATE OR REPLACE FUNCTION rowvec_internal.estimate(p_relation text, p_alias text, p_filter text, OUT rows float8,
  OUT cost float8) LANGUAGE plpgsql VOLATILE AS $fn$
DECLARE
  v_plan record;
BEGIN
  FOR v_plan IN EXECUTE pg_catalog.format(E'EXPLAIN (FORMAT JSON) SELECT FROM %s AS %s WHERE (%s\n)', p_relation,
    p_alias, coalesce(p_filter, 'true')) LOOP
    rows := (v_plan."QUERY PLAN"::jsonb -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
    cost := (v_plan."QUERY PLAN"::jsonb -> 0 -> 'Plan' ->> 'Total Cost')::float8;
  END LOOP;
END $fn$;
