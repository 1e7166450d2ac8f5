-- The triggers that a source's table must have, as CREATE TRIGGER statements for p_table: the source's own, or a copy
-- of its columns to compare with (upgrade/drop_outdated.sql). Locks: none.
--
-- INSERT and DELETE: a statement trigger with a transition table, one log row per 512 keys, see make_statement.
-- UPDATE: a row trigger whose WHEN clause is tested in C, so an UPDATE of other columns costs next to nothing. A
-- statement trigger that joined OLD and NEW took 33 s on 20,000 rows, by a plan cached from a one-row update. The
-- keys of UPDATEs are gathered in the WHEN clause, see make_gather. Not in a partitioned table, where the clause is
-- also evaluated for a row that moves to another partition, without an event; nor where a key's text depends on the
-- session and is therefore made in the row's function. There each row is an event and a log row (5,000 rows: 4.3x). A
-- partitioned table has row triggers only: statement triggers of the parent do not see a direct write to a partition.
--
-- Column mode has a trigger more, for a vector that somebody else wrote (an ORM writes every column back, an old
-- vector among them). AFTER UPDATE OF, so that a statement that does not name the column never reads the vectors: as
-- part of the text's trigger an UPDATE of another column of rows whose vector is in TOAST cost 2.0x (so: 1.02x). What
-- a BEFORE trigger does to the column is found by the recheck only, by the checksum beside our hash. `rowvec.writing`
-- is set by our own statement. Vectors are compared as bytes, which needs no operator from the search_path.
CREATE OR REPLACE FUNCTION rowvec_internal.trigger_statements(p_source smallint, p_table regclass)
RETURNS TABLE (name text, statement text) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  s         rowvec_internal.source;
  f         record := rowvec_internal.key_facts(p_source);
  v_changed text;
  v_vector  text;
  v_new     text;
  v_old     text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  v_new := rowvec_internal.key_text('NEW', s.key_columns);
  v_old := rowvec_internal.key_text('OLD', s.key_columns);
  SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') INTO v_changed
    FROM unnest(s.key_columns) c;
  -- Texts are compared byte by byte: to an equality of their type or collation, 'a' and 'A' may be the same. As short
  -- as
  -- can be: each statement parses the clause anew.
  SELECT v_changed || string_agg(' OR ' || format(CASE
      WHEN t.typname IN ('text', 'varchar') AND o.collisdeterministic THEN 'OLD.%1$I IS DISTINCT FROM NEW.%1$I'
      ELSE 'OLD.%1$I::text COLLATE "C" IS DISTINCT FROM NEW.%1$I::text COLLATE "C"' END, c.name), '' ORDER BY c.i)
    INTO v_changed
  FROM unnest(s.text_columns) WITH ORDINALITY c(name, i)
  JOIN pg_attribute a ON a.attrelid = s.source_table AND a.attname = c.name AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation o ON o.oid = a.attcollation;

  IF s.into_column IS NOT NULL THEN
    SELECT format('current_setting(''rowvec.writing'', true) IS DISTINCT FROM ''on'''
                  ' AND %1$s(OLD.%2$I) IS DISTINCT FROM %1$s(NEW.%2$I) AND NOT (%3$s)',
                  format('%I.%I', n.nspname, p.proname), s.into_column, v_changed) INTO v_vector
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_proc p ON p.oid = t.typsend JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE a.attrelid = s.source_table AND a.attname = s.into_column AND NOT a.attisdropped;
  END IF;

  RETURN QUERY
  SELECT format('rowvec_%s_%s', p_source, w.event),
         format('CREATE TRIGGER rowvec_%1$s_%2$s AFTER %3$s ON %4$s %5$s'
                ' EXECUTE FUNCTION rowvec_internal.source_%1$s_%6$s()',
                p_source, w.event, w.on_event, p_table, w.clause, w.function)
  FROM (VALUES
    ('update', 'UPDATE', CASE WHEN f.gathers
       THEN format('FOR EACH ROW WHEN ((%s) AND rowvec_internal.source_%s_gather(%s, %s))', v_changed, p_source,
         v_new, v_old)
       ELSE format('FOR EACH ROW WHEN (%s)', v_changed) END, CASE WHEN f.gathers THEN 'flush' ELSE 'row' END),
    ('vector', 'UPDATE OF ' || quote_ident(s.into_column), format('FOR EACH ROW WHEN (%s)', v_vector), 'row'),
    ('truncate', 'TRUNCATE', 'FOR EACH STATEMENT', 'truncate'),
    ('insert', CASE WHEN f.partitioned THEN 'INSERT OR DELETE' ELSE 'INSERT' END,
     CASE WHEN f.partitioned THEN 'FOR EACH ROW' ELSE 'REFERENCING NEW TABLE AS changed FOR EACH STATEMENT' END,
     CASE WHEN f.partitioned THEN 'row' ELSE 'statement' END),
    ('delete', CASE WHEN NOT f.partitioned THEN 'DELETE' END, 'REFERENCING OLD TABLE AS changed FOR EACH STATEMENT',
     'statement')
  ) w(event, on_event, clause, function)
  WHERE w.on_event IS NOT NULL AND (w.event <> 'vector' OR v_vector IS NOT NULL);
END $fn$;
