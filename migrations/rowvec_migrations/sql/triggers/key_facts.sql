-- What the trigger functions of a source depend on: how its key becomes text. Locks: none.
--   settings  SET clauses for key types whose text depends on the session; '' spares others that cost
--   gathers   the key's text can be made in the WHEN clause of the UPDATE trigger, see make_gather
--   simple    one column whose text holds no comma or quote, and cannot fail
--   fixed     one column of a fixed length, see make_statement
--   key_type  the type that parses the key's text
CREATE OR REPLACE FUNCTION rowvec_internal.key_facts(
  p_source smallint, OUT partitioned boolean, OUT settings text, OUT gathers boolean, OUT simple boolean,
    OUT fixed boolean,
  OUT key_type text
) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
  WITH columns AS (
    SELECT c.relkind = 'p' AS partitioned, t.typname, t.typlen > 0 AS has_length, t.typtype IN ('b', 'e') AS base,
           format('%I.%I', n.nspname, t.typname) AS type,
           t.typtype = 'e' OR t.typname IN ('int2', 'int4', 'int8', 'text', 'varchar', 'bpchar', 'uuid', 'bool',
             'numeric',
                                            'name', 'citext') AS stable_text
    FROM rowvec_internal.source s JOIN pg_class c ON c.oid = s.source_table
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY (s.key_columns)
    JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE s.id = p_source
  )
  SELECT bool_or(partitioned),
         CASE WHEN bool_and(stable_text) THEN ''
           ELSE $s$ SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC'
             SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C'$s$ END,
         bool_and(stable_text AND base AND NOT partitioned),
         bool_and(typname IN ('int2', 'int4', 'int8', 'uuid', 'bool')) AND count(*) = 1,
         bool_and(has_length AND base) AND count(*) = 1,
         CASE WHEN count(*) = 1 THEN min(type) ELSE format('rowvec_internal.source_%s_key', p_source) END
  FROM columns
$fn$;
