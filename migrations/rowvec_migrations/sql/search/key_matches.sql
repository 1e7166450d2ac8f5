-- SQL that compares a record's key columns with a key as text: each column with its own type, so that indexes can be
-- used. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.key_matches(f record, p_record text, p_key text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
  IF cardinality(f.keys) = 1 THEN
    RETURN format('%s.%I = (%s)::%s', p_record, f.keys[1], p_key, f.types[1]);
  END IF;
  RETURN (SELECT string_agg(format('%s.%I = ((%s)::rowvec_internal.source_%s_key).%I', p_record, k, p_key, f.id, k),
    ' AND ') FROM unnest(f.keys) k);
END $fn$;
