--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA rowvec;

COMMENT ON SCHEMA rowvec IS 'Vectors that follow the text of tables: what people call and read.';

CREATE SCHEMA rowvec_internal;

COMMENT ON SCHEMA rowvec_internal IS 'Tables and functions behind schema rowvec; no interface, may change with each version.';

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

COMMENT ON EXTENSION vector IS 'vector data type and ivfflat and hnsw access methods';

CREATE TYPE rowvec_internal.source_4_key AS (
	site text,
	id integer
);

CREATE TYPE rowvec_internal.source_5_key AS (
	id integer,
	at date
);

CREATE FUNCTION rowvec.embed(query text, source text DEFAULT NULL::text, model text DEFAULT NULL::text) RETURNS public.vector
    LANGUAGE plpgsql STABLE COST 100000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN rowvec_internal.query_vector(query, source, model);
END $$;

COMMENT ON FUNCTION rowvec.embed(query text, source text, model text) IS 'The vector of a text, with the query prompt of the source or model; asks a running daemon.';

CREATE FUNCTION rowvec.hybrid_search(source text, query text, k integer DEFAULT 10, filter text DEFAULT NULL::text, max_distance double precision DEFAULT NULL::double precision, language regconfig DEFAULT NULL::regconfig, vector_weight double precision DEFAULT 1, text_weight double precision DEFAULT 1, candidates integer DEFAULT NULL::integer, document text DEFAULT NULL::text, per_row boolean DEFAULT true) RETURNS TABLE(key text, score double precision, distance double precision, vector_rank bigint, text_rank bigint, chunk integer, passage text)
    LANGUAGE plpgsql STABLE ROWS 10
    AS $$
#variable_conflict use_variable
DECLARE
  f   record := rowvec_internal.search_facts(source, NULL);
  v_n integer := coalesce(candidates, greatest(50, 4 * k));
BEGIN
  language := coalesce(language, pg_catalog.get_current_ts_config());
  RETURN QUERY
    SELECT coalesce(v.key, t.key),
           coalesce(vector_weight / (60 + v.rank), 0) + coalesce(text_weight / (60 + t.rank), 0) AS fused,
           v.distance, v.rank, t.rank, v.chunk, v.passage
    FROM (SELECT s.key, s.distance, s.chunk, s.passage, pg_catalog.row_number() OVER () AS rank
          FROM rowvec.search(source, rowvec.embed(query, source), v_n, filter, max_distance, per_row => per_row) s) v
    FULL JOIN rowvec_internal.text_hits(f, query, filter, language, document, k, v_n) t ON t.key = v.key
    ORDER BY fused DESC, v.rank, t.rank LIMIT k;
END $$;

COMMENT ON FUNCTION rowvec.hybrid_search(source text, query text, k integer, filter text, max_distance double precision, language regconfig, vector_weight double precision, text_weight double precision, candidates integer, document text, per_row boolean) IS 'Vector and full text search of a source, fused by the ranks in both lists.';

CREATE FUNCTION rowvec.hybrid_search(row_type anyelement, query text, k integer DEFAULT 10, filter text DEFAULT NULL::text, max_distance double precision DEFAULT NULL::double precision, language regconfig DEFAULT NULL::regconfig, vector_weight double precision DEFAULT 1, text_weight double precision DEFAULT 1, candidates integer DEFAULT NULL::integer, document text DEFAULT NULL::text, source text DEFAULT NULL::text, per_row boolean DEFAULT true) RETURNS TABLE(hit anyelement, score double precision, distance double precision, vector_rank bigint, text_rank bigint, chunk integer, passage text)
    LANGUAGE plpgsql STABLE ROWS 10
    AS $_$
#variable_conflict use_variable
DECLARE
  f record := rowvec_internal.search_facts(source, pg_catalog.pg_typeof(row_type)::oid);
BEGIN
  RETURN QUERY EXECUTE pg_catalog.format(
    'SELECT %1$s.*::%2$s, h.score, h.distance, h.vector_rank, h.text_rank, h.chunk, h.passage'
    ' FROM rowvec.hybrid_search($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) h JOIN %2$s AS %1$s ON %3$s'
    ' ORDER BY h.score DESC, h.vector_rank, h.text_rank',
    f.alias, f.relation, rowvec_internal.key_matches(f, f.alias, 'h.key'))
    USING f.name, query, k, filter, max_distance, language, vector_weight, text_weight, candidates, document, per_row;
END $_$;

COMMENT ON FUNCTION rowvec.hybrid_search(row_type anyelement, query text, k integer, filter text, max_distance double precision, language regconfig, vector_weight double precision, text_weight double precision, candidates integer, document text, source text, per_row boolean) IS 'Vector and full text search, fused by rank, as rows of their table: hybrid_search(NULL::documents, ''text'').';

CREATE FUNCTION rowvec.pause(name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_id smallint := rowvec_internal.source_id(name);
BEGIN
  UPDATE rowvec_internal.source s SET state = 'paused' WHERE s.id = v_id;
  PERFORM rowvec_internal.drop_triggers(v_id);
END $$;

COMMENT ON FUNCTION rowvec.pause(name text) IS 'Take the triggers off a source''s table, so that its columns can be altered; resume puts them back.';

CREATE FUNCTION rowvec.preview(source text, row_key text) RETURNS TABLE(chunk integer, tokens integer, chunk_start integer, chunk_end integer, text text)
    LANGUAGE plpgsql ROWS 10
    AS $$
#variable_conflict use_column
DECLARE
  f       record := rowvec_internal.preview_facts(source);
  v_text  text;
  v_found bigint;
BEGIN
  EXECUTE pg_catalog.format('SELECT %s FROM %s d WHERE %s', f.text_sql, f.relation, f.matches)
    INTO v_text USING row_key;
  GET DIAGNOSTICS v_found = ROW_COUNT;
  IF v_found = 0 THEN
    RAISE EXCEPTION '% has no row with key %', f.relation, row_key USING ERRCODE = 'no_data_found',
      HINT = 'A key is written as its text; one of several columns as a row, as search() gives it: (a,1).';
  ELSIF v_text IS NULL THEN
    RAISE NOTICE 'the row has no text, and so no vector: every text column is NULL or blank';
    RETURN;
  END IF;
  FOR chunk, tokens, chunk_start, chunk_end IN
    SELECT (c.i - 1)::integer, c.tokens, c.start, c.stop
    FROM ROWS FROM (pg_catalog.jsonb_to_recordset(rowvec_internal.ask_daemon(f.model_id, '', v_text,
      f.id)::jsonb) AS (start integer, stop integer, tokens integer))
         WITH ORDINALITY c(start, stop, tokens, i)
  LOOP
    text := pg_catalog.substr(v_text, chunk_start + 1, chunk_end - chunk_start);
    RETURN NEXT;
  END LOOP;
  IF tokens > f.max_tokens THEN
    RAISE NOTICE 'the text has % tokens, and the model takes %: %', tokens, f.max_tokens,
      CASE f.on_overflow WHEN 'error' THEN 'such a row is a dead letter' ELSE 'it is embedded by its beginning' END;
  END IF;
END $$;

COMMENT ON FUNCTION rowvec.preview(source text, row_key text) IS 'The text of one row as it is embedded, its chunks and their numbers of tokens; asks a running daemon.';

CREATE FUNCTION rowvec.recheck(name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_id smallint := rowvec_internal.source_id(name);
BEGIN
  INSERT INTO rowvec_internal.backfill (source_id, phase, recheck, estimate)
  SELECT s.id, 'rows', true, greatest(c.reltuples, 0) FROM rowvec_internal.source s JOIN pg_catalog.pg_class c
    ON c.oid = s.source_table WHERE s.id = v_id
  ON CONFLICT (source_id) DO UPDATE SET phase = 'rows', recheck = true, cursor_key = NULL, enqueued = 0, done_at = NULL,
    estimate = EXCLUDED.estimate, requested_at = clock_timestamp();
  PERFORM rowvec_internal.ring('catalogue');
END $$;

COMMENT ON FUNCTION rowvec.recheck(name text) IS 'Compare every row of a source with its vector, and embed what differs.';

CREATE FUNCTION rowvec.resume(name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_id smallint := rowvec_internal.source_id(name);
BEGIN
  UPDATE rowvec_internal.source s SET state = 'active', problem = NULL WHERE s.id = v_id;
  PERFORM rowvec_internal.resolve(v_id);
  PERFORM rowvec_internal.drop_triggers(v_id);   -- one may be there that was made for other columns
  PERFORM rowvec_internal.install_triggers(v_id);
  PERFORM rowvec.recheck(name);
END $$;

COMMENT ON FUNCTION rowvec.resume(name text) IS 'Put the triggers of a paused source back, and compare every row with its vector.';

CREATE FUNCTION rowvec.retry(name text, key text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_id   smallint := rowvec_internal.source_id(name);
  v_dead bigint;
  v_due  bigint;
BEGIN
  WITH gone AS (
    DELETE FROM rowvec_internal.dead d WHERE d.source_id = v_id AND (retry.key IS NULL OR d.key = retry.key)
      RETURNING d.key
  ), logged AS (
    INSERT INTO rowvec_internal.change (source_id, keys) SELECT v_id, ARRAY[g.key] FROM gone g RETURNING 1
  ) SELECT count(*) INTO v_dead FROM logged;
  UPDATE rowvec_internal.change c SET visible_at = '-infinity', attempts = 0
  WHERE c.source_id = v_id AND c.daemon_id IS NULL AND c.last_error IS NOT NULL AND (retry.key IS NULL
    OR retry.key = ANY (c.keys));
  GET DIAGNOSTICS v_due = ROW_COUNT;
  PERFORM rowvec_internal.ring();
  RETURN v_dead + v_due;
END $$;

COMMENT ON FUNCTION rowvec.retry(name text, key text) IS 'Try the dead letters of a source again, or one key of them; returns how many keys.';

CREATE FUNCTION rowvec.search(source text, query text, k integer DEFAULT 10, filter text DEFAULT NULL::text, max_distance double precision DEFAULT NULL::double precision, exact boolean DEFAULT false, per_row boolean DEFAULT true) RETURNS TABLE(key text, distance double precision, chunk integer, passage text)
    LANGUAGE plpgsql STABLE ROWS 10
    AS $$
#variable_conflict use_variable
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(
    source, rowvec.embed(query, source), k, filter, max_distance, exact, per_row);
END $$;

COMMENT ON FUNCTION rowvec.search(source text, query text, k integer, filter text, max_distance double precision, exact boolean, per_row boolean) IS 'The k rows of a source nearest to a text: key, distance, best chunk and its passage.';

CREATE FUNCTION rowvec.search(source text, query public.vector, k integer DEFAULT 10, filter text DEFAULT NULL::text, max_distance double precision DEFAULT NULL::double precision, exact boolean DEFAULT false, per_row boolean DEFAULT true) RETURNS TABLE(key text, distance double precision, chunk integer, passage text)
    LANGUAGE plpgsql STABLE ROWS 10
    AS $$
DECLARE
  v         record;
  v_more    integer;
  v_cursor  refcursor;
  v_found   bigint;
  v_row     record;
BEGIN
  v := rowvec_internal.begin_search(source, NULL, k, filter, exact, per_row);
  IF query IS NOT NULL THEN
    FOREACH v_more IN ARRAY v.attempts LOOP
      OPEN v_cursor SCROLL FOR EXECUTE v.nearest USING query, k, NULL::float8, v_more;
      MOVE FORWARD ALL FROM v_cursor;
      GET DIAGNOSTICS v_found = ROW_COUNT;
      IF v_found >= k THEN
        MOVE ABSOLUTE 0 FROM v_cursor;
        LOOP
          FETCH v_cursor INTO v_row;
          EXIT WHEN NOT FOUND OR v_row.distance > max_distance;
          key := v_row.hit;
          distance := v_row.distance;
          chunk := v_row.chunk;
          passage := v_row.passage;
          RETURN NEXT;
        END LOOP;
      END IF;
      CLOSE v_cursor;
      EXIT WHEN v_found >= k;
    END LOOP;
    IF v_found IS NULL OR v_found < k THEN
      RETURN QUERY EXECUTE rowvec_internal.exact_search(source, NULL, filter, per_row)
        USING query, k, max_distance;
    END IF;
  END IF;
  v.settings[1] := rowvec_internal.end_search(v.settings);
END $$;

COMMENT ON FUNCTION rowvec.search(source text, query public.vector, k integer, filter text, max_distance double precision, exact boolean, per_row boolean) IS 'The k rows of a source nearest to a vector: key, distance, best chunk and its passage.';

CREATE FUNCTION rowvec.search(row_type anyelement, query text, k integer DEFAULT 10, filter text DEFAULT NULL::text, max_distance double precision DEFAULT NULL::double precision, exact boolean DEFAULT false, source text DEFAULT NULL::text, per_row boolean DEFAULT true) RETURNS TABLE(hit anyelement, distance double precision, chunk integer, passage text)
    LANGUAGE plpgsql STABLE ROWS 10
    AS $$
#variable_conflict use_variable
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(
    row_type, rowvec.embed(query, (rowvec_internal.search_facts(source, pg_catalog.pg_typeof(row_type)::oid)).name), k, filter, max_distance, exact, source, per_row);
END $$;

COMMENT ON FUNCTION rowvec.search(row_type anyelement, query text, k integer, filter text, max_distance double precision, exact boolean, source text, per_row boolean) IS 'The k rows nearest to a text, as rows of their table: search(NULL::documents, ''a text'').';

CREATE FUNCTION rowvec.search(row_type anyelement, query public.vector, k integer DEFAULT 10, filter text DEFAULT NULL::text, max_distance double precision DEFAULT NULL::double precision, exact boolean DEFAULT false, source text DEFAULT NULL::text, per_row boolean DEFAULT true) RETURNS TABLE(hit anyelement, distance double precision, chunk integer, passage text)
    LANGUAGE plpgsql STABLE ROWS 10
    AS $$
DECLARE
  v         record;
  v_more    integer;
  v_cursor  refcursor;
  v_found   bigint;
  v_row     record;
BEGIN
  v := rowvec_internal.begin_search(source, pg_catalog.pg_typeof(row_type)::oid, k, filter, exact, per_row);
  IF query IS NOT NULL THEN
    FOREACH v_more IN ARRAY v.attempts LOOP
      OPEN v_cursor SCROLL FOR EXECUTE v.nearest USING query, k, NULL::float8, v_more;
      MOVE FORWARD ALL FROM v_cursor;
      GET DIAGNOSTICS v_found = ROW_COUNT;
      IF v_found >= k THEN
        MOVE ABSOLUTE 0 FROM v_cursor;
        LOOP
          FETCH v_cursor INTO v_row;
          EXIT WHEN NOT FOUND OR v_row.distance > max_distance;
          hit := v_row.hit;
          distance := v_row.distance;
          chunk := v_row.chunk;
          passage := v_row.passage;
          RETURN NEXT;
        END LOOP;
      END IF;
      CLOSE v_cursor;
      EXIT WHEN v_found >= k;
    END LOOP;
    IF v_found IS NULL OR v_found < k THEN
      RETURN QUERY EXECUTE rowvec_internal.exact_search(source, pg_catalog.pg_typeof(row_type)::oid, filter, per_row)
        USING query, k, max_distance;
    END IF;
  END IF;
  v.settings[1] := rowvec_internal.end_search(v.settings);
END $$;

COMMENT ON FUNCTION rowvec.search(row_type anyelement, query public.vector, k integer, filter text, max_distance double precision, exact boolean, source text, per_row boolean) IS 'The k rows nearest to a vector, as rows of their table: search(NULL::documents, vector).';

CREATE FUNCTION rowvec."similar"(source text, row_key text, k integer DEFAULT 10, filter text DEFAULT NULL::text, max_distance double precision DEFAULT NULL::double precision, exact boolean DEFAULT false, per_row boolean DEFAULT true) RETURNS TABLE(key text, distance double precision, chunk integer, passage text)
    LANGUAGE plpgsql STABLE ROWS 10
    AS $$
#variable_conflict use_variable
DECLARE
  v_own record := rowvec_internal.own_vector(source, NULL, row_key, filter);
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(
    source, v_own.vector, k, v_own.others, max_distance, exact, per_row);
END $$;

COMMENT ON FUNCTION rowvec."similar"(source text, row_key text, k integer, filter text, max_distance double precision, exact boolean, per_row boolean) IS 'The k rows of a source nearest to the row with this key, without that row.';

CREATE FUNCTION rowvec."similar"(row_type anyelement, row_key text, k integer DEFAULT 10, filter text DEFAULT NULL::text, max_distance double precision DEFAULT NULL::double precision, exact boolean DEFAULT false, source text DEFAULT NULL::text, per_row boolean DEFAULT true) RETURNS TABLE(hit anyelement, distance double precision, chunk integer, passage text)
    LANGUAGE plpgsql STABLE ROWS 10
    AS $$
#variable_conflict use_variable
DECLARE
  v_own record := rowvec_internal.own_vector(source, pg_catalog.pg_typeof(row_type)::oid, row_key, filter);
BEGIN
  RETURN QUERY SELECT * FROM rowvec.search(
    row_type, v_own.vector, k, v_own.others, max_distance, exact, source, per_row);
END $$;

COMMENT ON FUNCTION rowvec."similar"(row_type anyelement, row_key text, k integer, filter text, max_distance double precision, exact boolean, source text, per_row boolean) IS 'The k rows nearest to the row with this key, as rows of their table: similar(NULL::documents, ''42'').';

CREATE FUNCTION rowvec.swap(old text, new text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_old     rowvec_internal.source;
  v_new     rowvec_internal.source;
  v_timeout text := current_setting('lock_timeout');
BEGIN
  PERFORM rowvec_internal.source_id(old), rowvec_internal.source_id(new);
  PERFORM FROM rowvec_internal.source s WHERE s.name IN (old, new) ORDER BY s.id FOR UPDATE;
  SELECT * INTO v_old FROM rowvec_internal.source s WHERE s.name = old;
  SELECT * INTO v_new FROM rowvec_internal.source s WHERE s.name = new;
  IF v_old.source_table <> v_new.source_table OR v_old.id = v_new.id THEN
    RAISE EXCEPTION 'sources "%" and "%" are not two sources of one table', old, new
      USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Watch %s under a new name, with the new recipe or model, and swap these.',
        rowvec_internal.table_name(v_old.source_table));
  END IF;
  IF v_new.state <> 'active' OR EXISTS (SELECT FROM rowvec_internal.backfill b WHERE b.source_id = v_new.id
    AND b.phase <> 'done')
     OR EXISTS (SELECT FROM rowvec_internal.change c WHERE c.source_id = v_new.id AND c.lane = 1) THEN
    RAISE EXCEPTION 'source "%" is not ready: it is %', new, CASE WHEN v_new.state <> 'active' THEN v_new.state
      ELSE 'being filled' END
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL rowvec.wait(%L, ''1 h''); then swap.',
        new);
  END IF;

  PERFORM set_config('lock_timeout', '2s', true);
  EXECUTE format('LOCK TABLE %s, %s IN ACCESS EXCLUSIVE MODE', v_old.vector_table, v_new.vector_table);
  UPDATE rowvec_internal.change c SET daemon_id = NULL, visible_at = '-infinity', attempts = greatest(c.attempts - 1, 0)
  WHERE c.source_id IN (v_old.id, v_new.id) AND c.daemon_id IS NOT NULL;
  EXECUTE format('ALTER TABLE %s RENAME TO %I', v_old.vector_table, format('rowvec_swap_%s', v_old.id));
  EXECUTE format('ALTER TABLE %s RENAME TO %I', v_new.vector_table, old || '_vectors');
  EXECUTE format('ALTER TABLE %s RENAME TO %I', v_old.vector_table, new || '_vectors');
  PERFORM set_config('lock_timeout', v_timeout, true);
  UPDATE rowvec_internal.source s SET name = format('rowvec_swap_%s', v_old.id), recipe = recipe + 1
    WHERE s.id = v_old.id;
  UPDATE rowvec_internal.source s SET name = old, recipe = recipe + 1 WHERE s.id = v_new.id;
  UPDATE rowvec_internal.source s SET name = new WHERE s.id = v_old.id;
  PERFORM rowvec_internal.ring('catalogue');
END $$;

COMMENT ON FUNCTION rowvec.swap(old text, new text) IS 'Exchange the names of two sources of one table: searches by the old name find the new vectors at once.';

CREATE FUNCTION rowvec.unwatch(name text, drop_vectors boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_id smallint := rowvec_internal.source_id(name);
  v_source rowvec_internal.source;
BEGIN
  PERFORM rowvec_internal.drop_triggers(v_id);
  EXECUTE format('DROP FUNCTION IF EXISTS rowvec_internal.source_%1$s_statement(), rowvec_internal.source_%1$s_row(),'
                 ' rowvec_internal.source_%1$s_truncate(), '
          'rowvec_internal.source_%1$s_gather(text, text), rowvec_internal.source_%1$s_flush()', v_id);
  DELETE FROM rowvec_internal.source s WHERE s.id = v_id RETURNING * INTO v_source;
  DELETE FROM rowvec_internal.change c WHERE c.source_id = v_id;
  DELETE FROM rowvec_internal.dead d WHERE d.source_id = v_id;
  IF drop_vectors AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = v_source.vector_table) THEN
    EXECUTE format('DROP TABLE IF EXISTS %s', v_source.vector_table);
  END IF;
  IF drop_vectors AND v_source.into_made AND EXISTS (SELECT FROM pg_catalog.pg_class c
    WHERE c.oid = v_source.source_table) THEN
    EXECUTE format('ALTER TABLE %s DROP COLUMN IF EXISTS %I', v_source.source_table, v_source.into_column);
  ELSIF drop_vectors AND v_source.into_column IS NOT NULL THEN
    RAISE NOTICE 'column "%" of % was there before, and stays with its vectors', v_source.into_column,
      rowvec_internal.table_name(v_source.source_table);
  END IF;
  EXECUTE format('DROP TYPE IF EXISTS rowvec_internal.source_%s_key', v_id);
END $_$;

COMMENT ON FUNCTION rowvec.unwatch(name text, drop_vectors boolean) IS 'End a source; its vectors go only with drop_vectors => true.';

CREATE PROCEDURE rowvec.wait(IN name text, IN timeout interval DEFAULT '00:00:30'::interval)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_id       smallint := rowvec_internal.source_id(name);
  v_facts    record;
  v_token    bigint;
  v_deadline timestamptz := pg_catalog.clock_timestamp() + timeout;
  v_nap      float8 := 0.002;
BEGIN
  SELECT * INTO v_facts FROM rowvec_internal.wait_facts(v_id);
  v_token := v_facts.token;
  LOOP
    COMMIT;
    SELECT * INTO v_facts FROM rowvec_internal.wait_facts(v_id);
    IF v_facts.state IS DISTINCT FROM 'active' THEN
      RAISE EXCEPTION 'source "%" is %', name, coalesce(v_facts.state || coalesce(': ' || v_facts.problem, ''), 'gone')
        USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = CASE v_facts.state WHEN 'paused' THEN pg_catalog.format('SELECT rowvec.resume(%L);', name)
          ELSE 'See rowvec.status.' END;
    END IF;
    EXIT WHEN NOT rowvec_internal.waiting(v_id, v_token);
    IF pg_catalog.clock_timestamp() > v_deadline THEN
      RAISE EXCEPTION 'source "%" still has % waiting changes after %', name, v_facts.pending, timeout
        USING ERRCODE = 'query_canceled',
        HINT = CASE WHEN v_facts.daemons = 0 THEN 'No daemon of its model has a heartbeat: start `rowvec daemon`.'
          ELSE 'Wait longer, or see rowvec.status and rowvec.errors.' END;
    END IF;
    PERFORM pg_catalog.pg_sleep(v_nap);
    v_nap := least(v_nap * 1.5, 0.25);
  END LOOP;
  IF v_facts.dead > 0 THEN
    RAISE WARNING 'source "%" has % dead letters, which are not searchable: see rowvec.errors, then rowvec.retry',
      name, v_facts.dead;
  END IF;
END $$;

COMMENT ON PROCEDURE rowvec.wait(IN name text, IN timeout interval) IS 'Return when every change that was committed before the call is searchable, or fail at the timeout.';

CREATE FUNCTION rowvec.watch(source_table regclass, text_columns text[], name text DEFAULT NULL::text, model text DEFAULT NULL::text, template text DEFAULT NULL::text, into_column text DEFAULT NULL::text, chunk_tokens integer DEFAULT NULL::integer, chunk_overlap integer DEFAULT 0, backfill boolean DEFAULT true, if_not_exists boolean DEFAULT false, on_overflow text DEFAULT 'truncate'::text, store_text boolean DEFAULT false, document_prompt text DEFAULT NULL::text, query_prompt text DEFAULT NULL::text, replace boolean DEFAULT false, index text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
  v_old     rowvec_internal.source;
  v_new     rowvec_internal.source;
  v_model   rowvec_internal.model;
  v_there   boolean;
  v_differs text;
  v_texts   boolean;   -- does what is embedded differ, and not only how it is searched?
  v_timeout text := current_setting('lock_timeout');
BEGIN
  PERFORM rowvec_internal.check_table(source_table);
  name := coalesce(name, (SELECT c.relname FROM pg_catalog.pg_class c WHERE c.oid = source_table));
  IF octet_length(name) > 48 THEN
    RAISE EXCEPTION 'the source name "%" is longer than 48 bytes', name USING ERRCODE = 'name_too_long',
      HINT = 'Give a shorter one: name => ''…''.';
  END IF;
  SELECT * INTO v_old FROM rowvec_internal.source s WHERE s.name = watch.name FOR UPDATE;
  v_there := FOUND;
  IF v_there AND v_old.source_table <> source_table THEN
    RAISE EXCEPTION 'source "%" exists, and watches another table', name USING ERRCODE = 'duplicate_object',
      HINT = 'Give another name: name => ''…''.';
  END IF;
  IF v_there AND if_not_exists AND NOT replace THEN
    RAISE NOTICE 'source "%" is already watched', name;
    RETURN name;
  END IF;

  SELECT * INTO v_model FROM rowvec_internal.model m WHERE CASE WHEN model IS NOT NULL THEN m.name = model
    WHEN v_there THEN m.id = v_old.model_id ELSE m.is_default END;
  IF v_model.id IS NULL THEN
    RAISE EXCEPTION '%', CASE WHEN model IS NULL THEN 'there is no default model'
      ELSE format('there is no model "%s"', model) END
      USING ERRCODE = 'undefined_object', HINT = coalesce('Models: ' || (SELECT string_agg(m.name, ', ')
        FROM rowvec_internal.model m) || '.',
        'Add one: `rowvec export all-MiniLM-L6-v2 --out DIR`, then `rowvec model add DIR --default`.');
  END IF;
  v_new := v_old;
  v_new.name := name;
  v_new.source_table := source_table;
  v_new.text_columns := text_columns;
  v_new.template := template;
  v_new.model_id := v_model.id;
  v_new.into_column := into_column;
  v_new.into_made := coalesce(v_new.into_made, false);
  v_new.chunk_tokens := chunk_tokens;
  v_new.chunk_overlap := chunk_overlap;
  v_new.on_overflow := on_overflow;
  v_new.store_text := store_text;
  v_new.document_prompt := document_prompt;
  v_new.query_prompt := query_prompt;
  v_new.index_kind := index;
  IF v_there THEN
    SELECT string_agg(format('%s: %s instead of %s', replace(n.key, '_', ' '), coalesce(n.value #>> '{}', 'none'),
      coalesce(o.value #>> '{}', 'none')), '; '),
           bool_or(n.key NOT IN ('query_prompt', 'index_kind'))
      INTO v_differs, v_texts
    FROM pg_catalog.jsonb_each(to_jsonb(v_new)) n JOIN pg_catalog.jsonb_each(to_jsonb(v_old)) o USING (key)
      WHERE n.value <> o.value AND n.key <> 'model_id';
    IF replace AND v_differs IS NULL AND v_new.model_id = v_old.model_id THEN
      RAISE NOTICE 'source "%" is already watched, as asked', name;
      RETURN name;
    ELSIF NOT replace THEN
      RAISE EXCEPTION 'source "%" is already watched', name USING ERRCODE = 'duplicate_object',
        DETAIL = coalesce('Asked for is ' || v_differs || '.', ''),
        HINT = CASE WHEN v_differs IS NULL
          THEN 'Give another name (name => ''…''), say if_not_exists => true, or unwatch it first.'
          ELSE 'To change its recipe: replace => true; what differs is then embedded again,'
               ' while search goes on. Or give another name: name => ''…''.' END;
    ELSIF v_new.model_id <> v_old.model_id OR v_new.into_column IS DISTINCT FROM v_old.into_column THEN
      RAISE EXCEPTION 'the % of source "%" cannot be replaced in place: searches would compare vectors of two kinds',
        CASE WHEN v_new.model_id <> v_old.model_id THEN 'model' ELSE 'column' END, name
        USING ERRCODE = 'feature_not_supported',
          HINT = 'Watch the table under another name (name => ''…''), wait for it, search there,'
               ' then unwatch this one.';
    END IF;
  END IF;
  v_new := rowvec_internal.make_column(rowvec_internal.check_recipe(v_new, v_model), v_model.dims);

  IF v_there THEN
    RAISE NOTICE 'the recipe of source "%" changes (%): %', name, v_differs,
      CASE WHEN v_texts THEN 'every row is compared, and what differs is embedded again'
        ELSE 'no row is embedded again' END;
    v_new.recipe := v_old.recipe + v_texts::integer;
    PERFORM rowvec_internal.make_vectors(v_new, v_model);
    UPDATE rowvec_internal.source s SET text_columns = v_new.text_columns, text_numbers = v_new.text_numbers,
      template = v_new.template, chunk_tokens = v_new.chunk_tokens,
      chunk_overlap = v_new.chunk_overlap, on_overflow = v_new.on_overflow, store_text = v_new.store_text,
        document_prompt = v_new.document_prompt,
      query_prompt = v_new.query_prompt, index_kind = v_new.index_kind, recipe = v_new.recipe WHERE s.id = v_old.id;
  ELSE
    v_new.vector_table := rowvec_internal.make_vectors(v_new, v_model);
    INSERT INTO rowvec_internal.source (name, source_table, key_columns, key_numbers, key_types, text_columns,
      text_numbers, template, model_id, into_column, into_number, into_made, chunk_tokens,
      chunk_overlap, on_overflow, store_text, document_prompt, query_prompt, index_kind, vector_table, shape)
    VALUES (name, source_table, v_new.key_columns, v_new.key_numbers, v_new.key_types, v_new.text_columns,
      v_new.text_numbers, template, v_new.model_id, into_column, v_new.into_number, v_new.into_made, chunk_tokens,
      chunk_overlap, on_overflow, store_text, document_prompt, query_prompt, index, v_new.vector_table,
        rowvec_internal.shape(source_table))
    RETURNING id INTO v_new.id;
    IF cardinality(v_new.key_columns) > 1 THEN   -- the type that parses a key of several columns back into them
      EXECUTE format('CREATE TYPE rowvec_internal.source_%s_key AS (%s)', v_new.id,
        (SELECT string_agg(format('%I %s', k, t), ', ' ORDER BY i) FROM unnest(v_new.key_columns,
          v_new.key_types) WITH ORDINALITY u(k, t, i)));
    END IF;
    EXECUTE format('INSERT INTO rowvec_internal.tally (source_id, truncated) SELECT %s, count(*) FROM %s'
                   ' WHERE _truncated', v_new.id, v_new.vector_table);
    INSERT INTO rowvec_internal.backfill (source_id, phase, recheck, estimate, done_at)
    SELECT v_new.id, CASE WHEN backfill THEN 'rows' ELSE 'done' END, true, greatest(c.reltuples, 0), CASE
      WHEN backfill THEN NULL ELSE now() END
    FROM pg_catalog.pg_class c WHERE c.oid = source_table;
  END IF;
  IF v_new.state IS DISTINCT FROM 'paused' AND v_texts IS DISTINCT FROM false THEN
    PERFORM set_config('lock_timeout', '2s', true);
    IF v_there THEN
      PERFORM rowvec_internal.drop_triggers(v_new.id);   -- their WHEN names the old columns
    END IF;
    PERFORM rowvec_internal.install_triggers(v_new.id);
    PERFORM set_config('lock_timeout', v_timeout, true);
  END IF;
  IF v_texts AND backfill THEN
    PERFORM rowvec.recheck(name);
  END IF;
  PERFORM rowvec_internal.ring('catalogue');
  RETURN name;
END $$;

COMMENT ON FUNCTION rowvec.watch(source_table regclass, text_columns text[], name text, model text, template text, into_column text, chunk_tokens integer, chunk_overlap integer, backfill boolean, if_not_exists boolean, on_overflow text, store_text boolean, document_prompt text, query_prompt text, replace boolean, index text) IS 'Begin to keep vectors for a table whose text is in these columns; returns the source''s name.';

CREATE FUNCTION rowvec.watch(source_table regclass, text_column text, name text DEFAULT NULL::text, model text DEFAULT NULL::text, template text DEFAULT NULL::text, into_column text DEFAULT NULL::text, chunk_tokens integer DEFAULT NULL::integer, chunk_overlap integer DEFAULT 0, backfill boolean DEFAULT true, if_not_exists boolean DEFAULT false, on_overflow text DEFAULT 'truncate'::text, store_text boolean DEFAULT false, document_prompt text DEFAULT NULL::text, query_prompt text DEFAULT NULL::text, replace boolean DEFAULT false, index text DEFAULT NULL::text) RETURNS text
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT rowvec.watch(source_table, ARRAY[text_column], name, model, template, into_column, chunk_tokens,
    chunk_overlap, backfill, if_not_exists,
                      on_overflow, store_text, document_prompt, query_prompt, replace, index)
$$;

COMMENT ON FUNCTION rowvec.watch(source_table regclass, text_column text, name text, model text, template text, into_column text, chunk_tokens integer, chunk_overlap integer, backfill boolean, if_not_exists boolean, on_overflow text, store_text boolean, document_prompt text, query_prompt text, replace boolean, index text) IS 'Begin to keep vectors for a table whose text is in one column; returns the source''s name.';

CREATE FUNCTION rowvec_internal.answer_preview(p_id uuid, p_chunks text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  UPDATE rowvec_internal.query SET chunks = p_chunks WHERE id = p_id
$$;

CREATE FUNCTION rowvec_internal.answer_queries(p_ids uuid[], p_vectors public.vector[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  UPDATE rowvec_internal.query q SET answer = a.vector FROM unnest(p_ids, p_vectors) a(id, vector) WHERE q.id = a.id;
END $$;

CREATE FUNCTION rowvec_internal.ask(p_model smallint, p_prompt text, p_query text, p_source smallint) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_id uuid;
BEGIN
  INSERT INTO rowvec_internal.query (model_id, prompt, query, source_id) VALUES (p_model, p_prompt, p_query,
    p_source) RETURNING id INTO v_id;
  PERFORM pg_notify('rowvec_query', '');
  RETURN v_id;
END $$;

CREATE FUNCTION rowvec_internal.ask_daemon(p_model smallint, p_prompt text, p_query text, p_source smallint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_timeout interval;
  v_way     record;
BEGIN
  BEGIN
    v_timeout := coalesce(nullif(current_setting('rowvec.query_timeout', true), ''), '5 s');
  EXCEPTION WHEN invalid_datetime_format THEN
    RAISE EXCEPTION 'rowvec.query_timeout is "%", which is no interval', current_setting('rowvec.query_timeout')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: SET rowvec.query_timeout = ''5 s''.';
  END;
  v_way := rowvec_internal.query_way();
  IF v_way.way = 'loopback' THEN
    RETURN rowvec_internal.by_loopback(p_model, p_prompt, p_query, p_source, v_timeout);
  ELSIF v_way.way = 'mailbox' THEN
    RETURN rowvec_internal.by_mailbox(rowvec_internal.mailbox_folder(), p_model, p_prompt, p_query, p_source,
      v_timeout);
  ELSE
    RAISE EXCEPTION 'no daemon can be asked from SQL here' USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = v_way.missing;
  END IF;
END $$;

CREATE FUNCTION rowvec_internal.begin_search(p_source text, p_row_type oid, p_k integer, p_filter text, p_exact boolean, p_per_row boolean DEFAULT true, OUT nearest text, OUT attempts integer[], OUT settings text[]) RETURNS record
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
DECLARE
  f        record;
  v_hits   float8;
  v_chunks float8;
  v_visits float8;
  v_steps  float8;
  v_wider  float8;
  v_guess  record;
  v_simple boolean;
  v_prepared boolean;
  v_order  text;
  v_set    text;   -- an assignment is evaluated directly, where PERFORM would run a query
BEGIN
  IF p_k IS NULL OR p_k < 1 THEN
    RAISE EXCEPTION 'k is %, but at least one row must be asked for', coalesce(p_k::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF p_source IS NULL THEN
    p_source := rowvec_internal.source_of(p_row_type);
  END IF;
  settings := ARRAY[pg_catalog.current_setting('jit', true), pg_catalog.current_setting('hnsw.ef_search', true),
                    pg_catalog.current_setting('hnsw.iterative_scan', true)];
  attempts := '{1}';

  -- What is asked for most, decided as below, with fewer facts.
  IF p_filter IS NULL AND p_exact IS NOT TRUE AND settings[2] IS NOT NULL THEN
    f := rowvec_internal.ready(p_source, p_row_type);
    v_visits := greatest(100, 5 * p_k, settings[2]::float8);
    IF f.id IS NOT NULL AND v_visits <= 1000 AND 4 * f.vectors_rows >= 22 * v_visits
      AND pg_catalog.has_table_privilege(f.source_table, 'SELECT')
      AND NOT pg_catalog.row_security_active(f.source_table)
    THEN
      v_set := pg_catalog.set_config('jit', 'off', true);
      v_set := pg_catalog.set_config('hnsw.ef_search', v_visits::text, true);
      IF settings[3] IS NOT NULL THEN
        v_set := pg_catalog.set_config('hnsw.iterative_scan', 'strict_order', true);
      END IF;
      nearest := pg_catalog.format('SELECT * FROM rowvec_internal.source_%s_nearest($1, $2%s)', f.id,
                                   CASE WHEN p_row_type IS NOT NULL THEN ', NULL::' || f.relation END);
      RETURN;
    END IF;
  END IF;
  f := rowvec_internal.search_facts(p_source, p_row_type);
  IF NOT pg_catalog.has_table_privilege(f.source_table, 'SELECT') THEN   -- else it would seem to have no vectors
    RAISE EXCEPTION 'permission denied for table %', f.relation USING ERRCODE = 'insufficient_privilege',
      HINT = 'Searching takes SELECT on the whole table.';
  END IF;
  IF settings[2] IS NULL THEN   -- pgvector's library, and with it its settings, comes with first use
    EXECUTE pg_catalog.format('SELECT %L::%s.vector', '[1]', f.schema);
    settings[2:3] := ARRAY[pg_catalog.current_setting('hnsw.ef_search', true),
      pg_catalog.current_setting('hnsw.iterative_scan', true)];
  END IF;
  p_exact := coalesce(p_exact, false) OR f.kind IS NULL;
  IF NOT p_exact THEN
    v_simple := p_filter IS NULL AND NOT pg_catalog.row_security_active(f.source_table);
    v_chunks := CASE WHEN p_per_row THEN least(8, coalesce(f.chunks, 1)) ELSE 1 END;
    -- An index of single bits ranks coarsely: four times as many.
    v_hits := v_chunks * CASE WHEN v_simple THEN 5 ELSE 10 END * CASE f.kind WHEN 'bit' THEN 4 ELSE 1 END;
    v_visits := greatest(100, v_hits * p_k, settings[2]::float8);
    IF v_simple THEN
      p_exact := f.vectors_rows > 0 AND 4 * f.vectors_rows < 22 * v_visits;
    ELSE
      v_guess := rowvec_internal.estimate(f.relation, f.alias, p_filter);
      v_guess.rows := v_guess.rows * coalesce(f.chunks, 1);
      v_visits := greatest(v_visits, v_hits * p_k * f.vectors_rows / greatest(v_guess.rows, 1));
      p_exact := v_guess.cost + 4 * v_guess.rows < 22 * v_visits;
    END IF;
    p_exact := p_exact OR v_visits > 20000;
  END IF;
  attempts := '{}';
  v_set := pg_catalog.set_config('jit', 'off', true);   -- compiling costs more than any of these statements
  IF NOT p_exact THEN
    v_steps := ceil(v_visits / 1000);
    v_simple := v_simple AND v_steps = 1;
    v_prepared := v_simple AND f.kind = 'vector' AND f.prepared IS NOT NULL;
    v_set := pg_catalog.set_config('hnsw.ef_search', ceil(v_visits / v_steps)::text, true);
    IF settings[3] IS NOT NULL THEN   -- pgvector 0.8 and newer; where it is older, the exact scan fills up
      v_order := CASE WHEN v_prepared THEN 'strict_order' ELSE 'relaxed_order' END;
      v_set := pg_catalog.set_config('hnsw.iterative_scan', v_order, true);
    END IF;
    v_wider := CASE WHEN v_simple THEN v_chunks ELSE v_hits * (1 - 0.5 / v_steps) END;
    nearest := rowvec_internal.search_sql(f, p_row_type IS NOT NULL, p_filter, false, v_wider, p_per_row);
    attempts := CASE WHEN v_chunks > 1 THEN '{1,8}' ELSE '{1}' END;
  END IF;
END $_$;

CREATE FUNCTION rowvec_internal.by_loopback(p_model smallint, p_prompt text, p_query text, p_source smallint, p_timeout interval) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_dblink text := rowvec_internal.extension_schema('dblink');
  v_ask    text := format('SELECT * FROM %s.dblink(''rowvec_loopback'', %L) AS r(id uuid)', v_dblink,
                          format('SELECT rowvec_internal.ask(%s::smallint, %L, %L, %L::smallint)', p_model, p_prompt,
                            p_query, p_source));
  v_begin  timestamptz := clock_timestamp();
  v_waited interval;
  v_open   boolean;
  v_id     uuid;
  v_take   text;
  v_answer text;
  v_error  text;
BEGIN
  EXECUTE format('SELECT coalesce(''rowvec_loopback'' = ANY (%s.dblink_get_connections()), false)', v_dblink)
    INTO v_open;
  IF v_open THEN
    BEGIN
      EXECUTE v_ask INTO v_id;
    EXCEPTION WHEN OTHERS THEN   -- the server closed it: it was idle for long, or ended by an administrator
      EXECUTE format('SELECT %s.dblink_disconnect(''rowvec_loopback'')', v_dblink);
    END;
  END IF;
  IF v_id IS NULL THEN
    BEGIN
      EXECUTE format('SELECT %s.dblink_connect(''rowvec_loopback'', ''rowvec_loopback'')', v_dblink);
    EXCEPTION WHEN OTHERS THEN
      RAISE EXCEPTION 'the loop-back connection cannot be opened: %', SQLERRM
        USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Run `rowvec setup-loopback` again: host and port as the server sees itself.';
    END;
    EXECUTE v_ask INTO v_id;
  END IF;

  v_take := format('SELECT * FROM %s.dblink(''rowvec_loopback'', %L) AS r(answer text, error text)', v_dblink,
                   format('SELECT * FROM rowvec_internal.take_answer(%L)', v_id));
  LOOP
    v_waited := clock_timestamp() - v_begin;
    PERFORM pg_sleep(0.001);   -- time for a daemon to claim it; from then on, taking waits for the daemon
    EXECUTE v_take INTO v_answer, v_error;
    EXIT WHEN v_answer IS NOT NULL OR v_error IS NOT NULL;
    IF v_waited > p_timeout OR v_waited > interval '1 s' AND NOT rowvec_internal.listens(1) THEN
      PERFORM rowvec_internal.no_answer(1, p_timeout);
    END IF;
  END LOOP;
  IF v_error IS NOT NULL THEN
    RAISE EXCEPTION 'the daemon could not encode the query: %', v_error USING ERRCODE = 'external_routine_exception';
  END IF;
  RETURN v_answer;
END $$;

CREATE FUNCTION rowvec_internal.by_mailbox(p_folder text, p_model smallint, p_prompt text, p_query text, p_source smallint, p_timeout interval) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_stem   text := format('%s/%s', p_folder, gen_random_uuid());
  v_begin  timestamptz := clock_timestamp();
  v_waited interval;
  v_answer text;
BEGIN
  EXECUTE format('COPY (SELECT %L) TO %L', encode(convert_to(
    jsonb_build_object('model', p_model, 'prompt', p_prompt, 'query', p_query, 'source', p_source)::text, 'UTF8'),
      'hex') || '.', v_stem || '.ask');
  LOOP
    v_waited := clock_timestamp() - v_begin;
    PERFORM pg_sleep(CASE WHEN v_waited < interval '50 ms' THEN 0.001 WHEN v_waited < interval '500 ms' THEN 0.005
      ELSE 0.02 END);
    v_answer := convert_from(pg_read_binary_file(v_stem || '.answer', 0, 10000000, true), 'UTF8');
    EXIT WHEN v_answer LIKE '%.';
    IF v_waited > p_timeout OR v_waited > interval '1 s' AND NOT rowvec_internal.listens(2) THEN
      PERFORM rowvec_internal.no_answer(2, p_timeout);
    END IF;
  END LOOP;
  v_answer := left(v_answer, -1);
  IF v_answer NOT LIKE '[%' THEN
    RAISE EXCEPTION 'the daemon could not encode the query: %', ltrim(v_answer, '!')
      USING ERRCODE = 'external_routine_exception';
  END IF;
  RETURN v_answer;
END $$;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE rowvec_internal.model (
    id smallint NOT NULL,
    name text NOT NULL,
    fingerprint text NOT NULL,
    "precision" text DEFAULT 'fp32'::text NOT NULL,
    dims integer NOT NULL,
    max_tokens integer NOT NULL,
    similarity text DEFAULT 'cosine'::text NOT NULL,
    manifest jsonb NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    added_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT model_dims_check CHECK ((dims > 0)),
    CONSTRAINT model_max_tokens_check CHECK ((max_tokens > 0)),
    CONSTRAINT model_precision_check CHECK (("precision" = ANY (ARRAY['fp32'::text, 'bf16'::text, 'fp16'::text]))),
    CONSTRAINT model_similarity_check CHECK ((similarity = ANY (ARRAY['cosine'::text, 'dot'::text, 'euclidean'::text])))
);

CREATE TABLE rowvec_internal.source (
    id smallint NOT NULL,
    name text NOT NULL,
    source_table regclass NOT NULL,
    key_columns name[] NOT NULL,
    key_numbers smallint[] NOT NULL,
    key_types text[] NOT NULL,
    text_columns name[] NOT NULL,
    text_numbers smallint[] NOT NULL,
    template text,
    model_id smallint NOT NULL,
    into_column name,
    into_number smallint,
    into_made boolean DEFAULT false NOT NULL,
    chunk_tokens integer,
    chunk_overlap integer DEFAULT 0 NOT NULL,
    on_overflow text DEFAULT 'truncate'::text NOT NULL,
    store_text boolean DEFAULT false NOT NULL,
    document_prompt text,
    query_prompt text,
    index_kind text,
    recipe integer DEFAULT 1 NOT NULL,
    vector_table regclass NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    problem text,
    shape text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT source_chunk_overlap_check CHECK ((chunk_overlap >= 0)),
    CONSTRAINT source_chunk_tokens_check CHECK ((chunk_tokens > 0)),
    CONSTRAINT source_index_kind_check CHECK ((index_kind = 'auto'::text)),
    CONSTRAINT source_key_columns_check CHECK ((cardinality(key_columns) > 0)),
    CONSTRAINT source_name_check CHECK (((octet_length(name) >= 1) AND (octet_length(name) <= 48))),
    CONSTRAINT source_on_overflow_check CHECK ((on_overflow = ANY (ARRAY['truncate'::text, 'error'::text, 'chunk'::text]))),
    CONSTRAINT source_state_check CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'broken'::text]))),
    CONSTRAINT source_text_columns_check CHECK ((cardinality(text_columns) > 0))
);

CREATE FUNCTION rowvec_internal.check_recipe(s rowvec_internal.source, p_model rowvec_internal.model) RETURNS rowvec_internal.source
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_column record;
  v_extra  text;
BEGIN
  s.key_columns := rowvec_internal.key_columns(s.source_table);
  IF s.key_columns IS NULL THEN
    RAISE EXCEPTION 'table % has no key', rowvec_internal.table_name(s.source_table)
      USING ERRCODE = 'invalid_table_definition',
      HINT = 'Add a primary key, or a unique index on columns that are NOT NULL.';
  END IF;
  IF s.key_columns && ARRAY['chunk', 'embedding', 'chunk_start', 'chunk_end', 'chunk_text', '_hash', '_chunk_hash',
    '_truncated', '_version', '_at']::name[] THEN
    RAISE EXCEPTION 'a key column of % is called as one of ours', rowvec_internal.table_name(s.source_table)
      USING ERRCODE = 'reserved_name',
      DETAIL = 'The vector table has columns chunk, embedding, chunk_start, chunk_end, chunk_text, _hash,'
               ' _chunk_hash, _truncated, _version and _at.',
      HINT = 'You must rename the key column.';
  END IF;
  IF coalesce(cardinality(s.text_columns), 0) = 0 THEN
    RAISE EXCEPTION 'no text column is named' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example: SELECT rowvec.watch(''documents'', ''body'').';
  END IF;
  s.key_numbers := rowvec_internal.column_numbers(s.source_table, s.key_columns);
  s.text_numbers := rowvec_internal.column_numbers(s.source_table, s.text_columns);
  SELECT array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY array_position(s.key_columns, a.attname))
    INTO s.key_types
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = s.source_table AND a.attname = ANY (s.key_columns);

  SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, t.typname = 'bytea' AS bytes INTO v_column
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b
    ON b.oid = t.typbasetype
  WHERE a.attrelid = s.source_table AND a.attname = ANY (s.text_columns)
    AND (t.typname = 'bytea' OR s.template IS NULL AND coalesce(b.typcategory, t.typcategory) <> 'S') LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'column "%" of % is %, not text', v_column.attname, rowvec_internal.table_name(s.source_table),
      v_column.type USING ERRCODE = 'datatype_mismatch',
      HINT = CASE WHEN v_column.bytes THEN 'Store the text of such a document in a text column, and watch that.'
        ELSE format('Name a text column, or say how it is to be read: template => ''{%s}''.', v_column.attname) END;
  END IF;
  IF s.template IS NOT NULL THEN
    IF EXISTS (SELECT FROM rowvec_internal.template_parts(s.template) p WHERE p.kind = 'brace') THEN
      RAISE EXCEPTION 'the template has a brace that is not closed, or not opened'
        USING ERRCODE = 'invalid_parameter_value', HINT = 'A column is written {column}, a brace {{ or }}.';
    END IF;
    SELECT p.word INTO v_extra FROM rowvec_internal.template_parts(s.template) p WHERE p.kind = 'column'
      AND p.word <> ALL (s.text_columns::text[]) LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'the template names {%}, which is not among the text columns', v_extra
        USING ERRCODE = 'invalid_parameter_value',
        HINT = format('Add it: ARRAY[%s, %L].', (SELECT string_agg(quote_literal(c), ', ')
          FROM unnest(s.text_columns) c), v_extra);
    END IF;
    SELECT c INTO v_extra FROM unnest(s.text_columns) c
    WHERE NOT EXISTS (SELECT FROM rowvec_internal.template_parts(s.template) p WHERE p.kind = 'column'
      AND p.word = c) LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'the template does not use the text column "%"', v_extra
        USING ERRCODE = 'invalid_parameter_value', HINT = 'A column is written {column}, a brace {{ or }}.';
    END IF;
  END IF;
  EXECUTE format('SELECT %s FROM %s d LIMIT 0', rowvec_internal.text_sql('d', s.source_table, s.text_columns,
    s.template), s.source_table);

  IF s.into_column IS NOT NULL AND (s.chunk_tokens IS NOT NULL OR s.on_overflow = 'chunk') THEN
    RAISE EXCEPTION 'a row has room for one vector: into_column and chunks exclude each other'
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Leave into_column out: the vectors go to a table of their own.';
  END IF;
  IF s.on_overflow IS NULL OR s.on_overflow NOT IN ('truncate', 'error', 'chunk') THEN
    RAISE EXCEPTION 'on_overflow is %, which is not a way to treat a text that is too long',
      coalesce(quote_literal(s.on_overflow), 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say ''truncate'', ''error'' or ''chunk''.';
  END IF;
  IF s.chunk_tokens NOT BETWEEN 8 AND p_model.max_tokens THEN
    RAISE EXCEPTION 'chunk_tokens is %, but model "%" takes % tokens at most, and a chunk has at least 8',
      s.chunk_tokens, p_model.name, p_model.max_tokens USING ERRCODE = 'invalid_parameter_value',
      HINT = format('For example chunk_tokens => %s.', p_model.max_tokens);
  END IF;
  IF s.chunk_overlap < 0 OR s.chunk_overlap * 2 > coalesce(s.chunk_tokens, CASE WHEN s.on_overflow = 'chunk'
    THEN p_model.max_tokens ELSE 0 END) THEN
    RAISE EXCEPTION 'chunk_overlap is %: it may be half of chunk_tokens at most', s.chunk_overlap
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example chunk_tokens => 200, chunk_overlap => 20.';
  END IF;
  IF s.store_text AND s.chunk_tokens IS NULL AND s.on_overflow <> 'chunk' THEN
    RAISE EXCEPTION 'store_text keeps the texts of chunks, and there are none'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave it out, or say chunk_tokens => 200.';
  END IF;
  IF s.index_kind <> 'auto' THEN
    RAISE EXCEPTION 'index is %, which is not known', quote_literal(s.index_kind)
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say index => ''auto'' to let the daemon make it, or leave it out and run `rowvec index`.';
  END IF;
  RETURN s;
END $$;

CREATE FUNCTION rowvec_internal.check_table(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_class pg_catalog.pg_class;
BEGIN
  SELECT * INTO STRICT v_class FROM pg_catalog.pg_class c WHERE c.oid = p_table;
  IF v_class.relkind NOT IN ('r', 'p') OR v_class.relpersistence = 't' THEN
    RAISE EXCEPTION '% is not a table that can be watched: it is %', rowvec_internal.table_name(p_table),
      CASE WHEN v_class.relpersistence = 't' THEN 'a temporary table' WHEN v_class.relkind = 'v' THEN 'a view'
           WHEN v_class.relkind = 'm' THEN 'a materialised view' WHEN v_class.relkind = 'f' THEN 'a foreign table'
           ELSE format('of kind "%s"', v_class.relkind) END
      USING ERRCODE = 'wrong_object_type', HINT = 'Watch the table that holds the text.';
  END IF;
END $$;

CREATE FUNCTION rowvec_internal.chunk_search_sql(f record, p_hit text, p_keys text, p_join text, p_filter text, p_exact boolean, p_distance text, p_order text, p_wider integer, p_per_row boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_keys    text;   -- of a chunk that was found: x.key1, x.key2, …
  v_row     text;   -- the row that it is of
  v_chunk   text;   -- the chunk itself
  v_rows    text;
  v_found   text;
  v_best    text;
  v_passage text;
BEGIN
  SELECT string_agg('x.key' || i, ', '), string_agg(format('%s.%I = _rowvec.key%s', f.alias, k, i), ' AND '),
         string_agg(format('_chunk.%I = _rowvec.key%s', k, i), ' AND ')
    INTO v_keys, v_row, v_chunk FROM unnest(f.keys) WITH ORDINALITY u(k, i);
  v_rows := format(E'SELECT %s FROM %s AS %s WHERE (%s\n)', p_keys, f.relation, f.alias, coalesce(p_filter, 'true'));
  v_found := format('SELECT s.*, %s AS distance, v.chunk FROM %s v JOIN (%s) s ON %s WHERE v.embedding IS NOT NULL',
                    p_distance, f.vectors, v_rows, p_join);
  IF NOT p_exact THEN
    v_found := format('%s ORDER BY %s LIMIT $2 * %s * $4', v_found, p_order, p_wider);
  END IF;
  v_best := format('SELECT %s x.* FROM (%s) x%s%s',
                   CASE WHEN p_per_row THEN format('DISTINCT ON (%s)', v_keys) END, v_found,
                   CASE WHEN p_exact THEN ' WHERE $3 IS NULL OR x.distance <= $3' END,
                   CASE WHEN p_per_row THEN format(' ORDER BY %s, x.distance + 0.0::float8', v_keys) END);
  v_passage := format('coalesce(_chunk.chunk_text, pg_catalog.substr(%s, _chunk.chunk_start + 1,'
                      ' _chunk.chunk_end - _chunk.chunk_start))', f.row_text);
  RETURN format('SELECT %s AS hit, _rowvec.distance, _rowvec.chunk, %s AS passage'
                ' FROM (SELECT y.* FROM (%s) y ORDER BY y.distance + 0.0::float8 LIMIT $2) _rowvec'
                ' JOIN %s _chunk ON %s AND _chunk.chunk = _rowvec.chunk JOIN %s AS %s ON %s ORDER BY _rowvec.distance',
                p_hit, v_passage, v_best, f.vectors, v_chunk, f.relation, f.alias, v_row);
END $_$;

CREATE FUNCTION rowvec_internal.claim_queries(p_models smallint[]) RETURNS TABLE(id uuid, model_id smallint, prompt text, query text, source_id smallint)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH claimed AS (
    UPDATE rowvec_internal.query q SET claimed_at = clock_timestamp()
    WHERE q.id IN (SELECT w.id FROM rowvec_internal.query w
                   WHERE w.answer IS NULL AND w.chunks IS NULL AND w.error IS NULL AND w.model_id = ANY (p_models)
                     AND (w.claimed_at IS NULL OR w.claimed_at < clock_timestamp() - interval '2 s')
                   ORDER BY w.asked_at LIMIT 64 FOR UPDATE SKIP LOCKED)
    RETURNING q.id, q.model_id, q.prompt, q.query, q.source_id)
  SELECT c.id, c.model_id, c.prompt, c.query, c.source_id FROM claimed c
    WHERE pg_try_advisory_lock(rowvec_internal.query_lock(c.id)) IS NOT NULL;
END $$;

CREATE FUNCTION rowvec_internal.column_numbers(p_table regclass, p_columns name[]) RETURNS smallint[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_column name;
  v_number smallint;
  v_numbers smallint[] := '{}';
BEGIN
  FOREACH v_column IN ARRAY p_columns LOOP
    SELECT attnum INTO v_number FROM pg_attribute
    WHERE attrelid = p_table AND attname = v_column AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'table % has no column "%"', rowvec_internal.table_name(p_table), v_column
        USING ERRCODE = 'undefined_column',
        HINT = format('Its columns are %s.', (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
          FROM pg_attribute WHERE attrelid = p_table AND attnum > 0 AND NOT attisdropped));
    END IF;
    v_numbers := v_numbers || v_number;
  END LOOP;
  RETURN v_numbers;
END $$;

CREATE FUNCTION rowvec_internal.column_problem(p_table regclass, p_column name, p_dims integer) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT CASE
    WHEN a.attnum IS NULL THEN format('column "%s" is gone', p_column)
    WHEN a.attgenerated <> '' THEN format('column "%s" of %s is generated, and cannot be written', p_column,
      rowvec_internal.table_name(p_table))
    WHEN t.typname NOT IN ('vector', 'halfvec') OR t.typnamespace <> (SELECT extnamespace FROM pg_extension
      WHERE extname = 'vector') OR a.atttypmod <> p_dims
      THEN format('column "%s" of %s is %s, and the model makes vectors of %s dims:'
                  ' it must be vector(%4$s) or halfvec(%4$s)',
                  p_column, rowvec_internal.table_name(p_table), format_type(a.atttypid, a.atttypmod), p_dims)
    WHEN a.attnotnull THEN format('column "%s" of %s is NOT NULL, but a new row waits for its vector:'
                  ' ALTER TABLE %2$s ALTER %1$I DROP NOT NULL', p_column, rowvec_internal.table_name(p_table))
    END
  FROM (VALUES (1)) one
  LEFT JOIN pg_attribute a ON a.attrelid = p_table AND a.attname = p_column AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_type t ON t.oid = a.atttypid
$_$;

CREATE FUNCTION rowvec_internal.drop_loopback() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_role name := format('rowvec_loopback_%s', (SELECT oid FROM pg_database WHERE datname = current_database()));
BEGIN
  DROP SERVER IF EXISTS rowvec_loopback CASCADE;
  BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
      EXECUTE format('DROP OWNED BY %I', v_role);
      EXECUTE format('DROP ROLE %I', v_role);
    END IF;
  EXCEPTION WHEN insufficient_privilege OR dependent_objects_still_exist THEN
    RAISE NOTICE 'role % stays: %', v_role, SQLERRM;
  END;
END $$;

CREATE FUNCTION rowvec_internal.drop_outdated(p_source smallint) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  s          rowvec_internal.source;
  v_copy     text := format('rowvec_internal.source_%s_copy', p_source);
  v_vectors  text;
  v_made     record;
  v_enabled  text[] := '{}';
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  EXECUTE format('CREATE TABLE %s (LIKE %s)', v_copy, s.source_table);
  PERFORM set_config('search_path', rowvec_internal.key_path(s.source_table, s.key_columns), true);
  FOR v_made IN SELECT w.statement FROM rowvec_internal.trigger_statements(p_source, v_copy::regclass) w LOOP
    EXECUTE v_made.statement;
  END LOOP;
  PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
  FOR v_made IN
    SELECT t.tgname AS name, t.tgenabled AS enabled
    FROM pg_trigger t LEFT JOIN pg_trigger w ON w.tgrelid = v_copy::regclass AND w.tgname = t.tgname
    WHERE t.tgrelid = s.source_table AND starts_with(t.tgname, format('rowvec_%s_', p_source))
      AND NOT t.tgisinternal AND t.tgparentid = 0
      AND replace(pg_get_triggerdef(t.oid), format(' ON %s ', s.source_table), format(' ON %s ', v_copy))
          IS DISTINCT FROM pg_get_triggerdef(w.oid)
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', v_made.name, s.source_table);
    IF v_made.enabled <> 'O' THEN
      v_enabled := v_enabled || format('ALTER TABLE %s %s TRIGGER %I', s.source_table, CASE v_made.enabled
        WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, v_made.name);
    END IF;
  END LOOP;
  EXECUTE format('DROP TABLE %s', v_copy);
  IF s.into_column IS NOT NULL THEN
    RETURN v_enabled;
  END IF;

  v_vectors := format('rowvec_internal.%I', (SELECT relname FROM pg_class WHERE oid = s.vector_table));
  EXECUTE format('CREATE TABLE %s (LIKE %s)', v_vectors, s.vector_table);
  FOR v_made IN SELECT w.statement FROM rowvec_internal.policy_statements(p_source, v_vectors::regclass) w LOOP
    EXECUTE v_made.statement;
  END LOOP;
  IF (SELECT array_agg(row(p.polname, p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid),
                           pg_get_expr(p.polwithcheck, p.polrelid))::text ORDER BY p.polname)
      FROM pg_policy p WHERE p.polrelid = s.vector_table AND p.polname ~ '^rowvec_(read|write)_\d+$')
     IS DISTINCT FROM
     (SELECT array_agg(row(p.polname, p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid),
                           pg_get_expr(p.polwithcheck, p.polrelid))::text ORDER BY p.polname)
      FROM pg_policy p WHERE p.polrelid = v_vectors::regclass) THEN
    PERFORM rowvec_internal.ungrant_vectors(s.vector_table);
  END IF;
  EXECUTE format('DROP TABLE %s', v_vectors);
  RETURN v_enabled;
END $_$;

CREATE FUNCTION rowvec_internal.drop_triggers(p_source smallint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_trigger record;
BEGIN
  FOR v_trigger IN
    SELECT t.tgname, t.tgrelid::regclass AS on_table
    FROM pg_catalog.pg_trigger t JOIN rowvec_internal.source s ON s.source_table = t.tgrelid
    WHERE s.id = p_source AND t.tgname LIKE format('rowvec\_%s\_%%', p_source) AND NOT t.tgisinternal
      AND t.tgparentid = 0
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', v_trigger.tgname, v_trigger.on_table);
  END LOOP;
END $$;

CREATE FUNCTION rowvec_internal.end_search(p_settings text[]) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_set text;
BEGIN
  v_set := pg_catalog.set_config('jit', p_settings[1], true);
  v_set := pg_catalog.set_config('hnsw.ef_search', coalesce(p_settings[2], '40'), true);
  IF p_settings[3] IS NOT NULL THEN
    v_set := pg_catalog.set_config('hnsw.iterative_scan', p_settings[3], true);
  END IF;
  RETURN v_set;
END $$;

CREATE FUNCTION rowvec_internal.estimate(p_relation text, p_alias text, p_filter text, OUT rows double precision, OUT cost double precision) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_plan record;
BEGIN
  FOR v_plan IN EXECUTE pg_catalog.format(E'EXPLAIN (FORMAT JSON) SELECT FROM %s AS %s WHERE (%s\n)', p_relation,
    p_alias, coalesce(p_filter, 'true')) LOOP
    rows := (v_plan."QUERY PLAN"::jsonb -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
    cost := (v_plan."QUERY PLAN"::jsonb -> 0 -> 'Plan' ->> 'Total Cost')::float8;
  END LOOP;
END $$;

CREATE FUNCTION rowvec_internal.exact_search(p_source text, p_row_type oid, p_filter text, p_per_row boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  f record := rowvec_internal.search_facts(p_source, p_row_type);
BEGIN
  RETURN rowvec_internal.search_sql(f, p_row_type IS NOT NULL, p_filter, true, 1, p_per_row);
END $$;

CREATE FUNCTION rowvec_internal.extension_schema(p_name name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = p_name
$$;

CREATE FUNCTION rowvec_internal.fail_query(p_id uuid, p_error text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  UPDATE rowvec_internal.query SET error = p_error WHERE id = p_id
$$;

CREATE FUNCTION rowvec_internal.follow(p_source smallint, p_names name[], p_numbers smallint[], p_types text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  s          rowvec_internal.source;
  v_old      name[];
  v_template text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  v_old := s.key_columns || s.text_columns;
  v_template := s.template;
  FOR i IN 1 .. cardinality(v_old) LOOP
    CONTINUE WHEN p_names[i] = v_old[i];
    v_template := replace(v_template, '{' || v_old[i] || '}', '{' || p_names[i] || '}');
    IF i <= cardinality(s.key_columns) THEN
      EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', s.vector_table, v_old[i], p_names[i]);
      IF cardinality(s.key_columns) > 1 THEN
        EXECUTE format('ALTER TYPE rowvec_internal.source_%s_key RENAME ATTRIBUTE %I TO %I', p_source, v_old[i],
          p_names[i]);
      END IF;
    END IF;
  END LOOP;
  FOR i IN 1 .. cardinality(s.key_columns) LOOP
    CONTINUE WHEN p_types[i] = s.key_types[i];
    EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::text::%3$s', s.vector_table, p_names[i],
      p_types[i]);
    IF cardinality(s.key_columns) > 1 THEN
      EXECUTE format('ALTER TYPE rowvec_internal.source_%s_key ALTER ATTRIBUTE %I TYPE %s', p_source, p_names[i],
        p_types[i]);
    END IF;
  END LOOP;
  UPDATE rowvec_internal.source SET key_columns = p_names[:cardinality(s.key_columns)],
    text_columns = p_names[cardinality(s.key_columns) + 1:],
    key_numbers = p_numbers[:cardinality(s.key_columns)], text_numbers = p_numbers[cardinality(s.key_columns) + 1:],
    key_types = p_types, template = v_template WHERE id = p_source;
  IF s.state <> 'paused' THEN
    -- other columns by these names: WHEN still tests the old ones
    IF p_numbers <> s.key_numbers || s.text_numbers THEN
      PERFORM rowvec_internal.drop_triggers(p_source);
    END IF;
    PERFORM rowvec_internal.install_triggers(p_source);
  END IF;
  -- triggers have read another column in its place; every row is compared anyway
  IF p_numbers[:cardinality(s.key_columns)] <> s.key_numbers THEN
    DELETE FROM rowvec_internal.change WHERE source_id = p_source;
  END IF;
END $_$;

CREATE FUNCTION rowvec_internal.follow_source() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_function regprocedure;
BEGIN
  IF TG_OP <> 'DELETE' THEN
    PERFORM rowvec_internal.grant_vectors(NEW.id);
    PERFORM rowvec_internal.prepare_search(NEW.id);
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM pg_class WHERE oid = OLD.vector_table) AND NOT EXISTS (SELECT FROM rowvec_internal.source
    WHERE vector_table = OLD.vector_table) THEN
    PERFORM rowvec_internal.ungrant_vectors(OLD.vector_table);
  END IF;
  FOR v_function IN SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = 'rowvec_internal'::regnamespace AND proname IN (format('source_%s_visible', OLD.id),
      format('source_%s_nearest', OLD.id))
  LOOP
    EXECUTE format('DROP FUNCTION %s', v_function);
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION rowvec_internal.grant_loopback(p_role name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA rowvec_internal TO %I', p_role);
  EXECUTE format('GRANT EXECUTE ON FUNCTION rowvec_internal.ask(smallint, text, text, smallint),'
                 ' rowvec_internal.take_answer(uuid), rowvec_internal.same_database(oid, numeric) TO %I', p_role);
END $$;

CREATE FUNCTION rowvec_internal.grant_vectors(p_source smallint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  s           rowvec_internal.source;
  v_same_keys text;
  v_body      text;
  v_path      text;
  v_visible   text := format('rowvec_internal.source_%s_visible', p_source);
  v_policy    record;
BEGIN
  SELECT * INTO s FROM rowvec_internal.source WHERE id = p_source;
  IF NOT FOUND OR s.into_column IS NOT NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.vector_table)
     OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.source_table) THEN
    RETURN;
  END IF;
  v_same_keys := (SELECT string_agg(format('s.%1$I = v.%1$I', k), ' AND ') FROM unnest(s.key_columns) k);
  v_body := format(' BEGIN RETURN EXISTS (SELECT FROM %s s WHERE %s); END ', s.source_table, v_same_keys);
  v_path := rowvec_internal.key_path(s.source_table, s.key_columns);
  IF NOT EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure(v_visible || '(record)') AND prosrc = v_body
                 AND proconfig = ARRAY['search_path=' || v_path]) THEN
    EXECUTE format('CREATE OR REPLACE FUNCTION %s(v record) RETURNS boolean LANGUAGE plpgsql STABLE COST 1000'
                   ' SET search_path = %s AS %L', v_visible, v_path, v_body);
  END IF;
  IF EXISTS (SELECT FROM pg_policy WHERE polrelid = s.vector_table AND polname = format('rowvec_read_%s', p_source))
    THEN
    RETURN;
  END IF;
  PERFORM rowvec_internal.ungrant_vectors(s.vector_table);
  FOR v_policy IN SELECT w.statement FROM rowvec_internal.policy_statements(p_source, s.vector_table) w LOOP
    EXECUTE v_policy.statement;
  END LOOP;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', s.vector_table);
  EXECUTE format('GRANT SELECT ON %s TO PUBLIC', s.vector_table);
END $_$;

CREATE FUNCTION rowvec_internal.install_triggers(p_source smallint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  s         rowvec_internal.source;
  v_trigger record;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  PERFORM rowvec_internal.make_functions(p_source);
  PERFORM set_config('search_path', rowvec_internal.key_path(s.source_table, s.key_columns), true);
  FOR v_trigger IN
    SELECT w.statement FROM rowvec_internal.trigger_statements(p_source, s.source_table) w
    WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = s.source_table AND t.tgname = w.name)
  LOOP
    EXECUTE v_trigger.statement;
  END LOOP;
END $$;

CREATE FUNCTION rowvec_internal.join_text(p_literals text[], p_parts text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_text text;
BEGIN
  FOR i IN 1 .. cardinality(p_parts) LOOP
    IF p_parts[i] IS NOT NULL THEN
      v_text := coalesce(v_text || p_literals[i], p_literals[1]) || p_parts[i];
    END IF;
  END LOOP;
  RETURN left(v_text || p_literals[cardinality(p_parts) + 1], 1000000);
END $$;

CREATE FUNCTION rowvec_internal.json_text(p_json text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN rowvec_internal.json_words(p_json::jsonb, 0);
EXCEPTION WHEN OTHERS THEN
  RETURN p_json;
END $$;

CREATE FUNCTION rowvec_internal.json_words(p_value jsonb, p_depth integer) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  CASE jsonb_typeof(p_value)
    WHEN 'object' THEN
      RETURN (SELECT CASE WHEN p_depth = 0 THEN string_agg(key || ': ' || words, E'\n' ORDER BY i) ELSE '(' ||
        string_agg(key || ': ' || words, ', ' ORDER BY i) || ')' END
              FROM jsonb_each(p_value) WITH ORDINALITY e(key, value, i), rowvec_internal.json_words(value,
                p_depth + 1) words);
    WHEN 'array' THEN
      RETURN (SELECT string_agg(words, ', ' ORDER BY i) FROM jsonb_array_elements(p_value) WITH ORDINALITY e(value,
        i), rowvec_internal.json_words(value, p_depth + 1) words);
    WHEN 'boolean' THEN RETURN CASE WHEN p_value = 'true'::jsonb THEN 'yes' ELSE 'no' END;
    ELSE RETURN p_value #>> '{}';
  END CASE;
END $$;

CREATE FUNCTION rowvec_internal.keep_in_step() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_source smallint;
BEGIN
  FOR v_source IN SELECT id FROM rowvec_internal.source LOOP
    BEGIN
      PERFORM rowvec_internal.grant_vectors(v_source);
      PERFORM rowvec_internal.prepare_search(v_source);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'the rights to read the vectors of source % could not be followed: %', v_source, SQLERRM;
    END;
  END LOOP;
END $$;

CREATE FUNCTION rowvec_internal.key_columns(p_table regclass) RETURNS name[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT array_agg(a.attname ORDER BY k.position)
  FROM (SELECT i.indexrelid, i.indrelid, i.indkey, i.indnkeyatts FROM pg_index i
        WHERE i.indrelid = p_table AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
          AND NOT EXISTS (SELECT FROM unnest(i.indkey[0:i.indnkeyatts - 1]) n
                          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = n WHERE NOT a.attnotnull)
        ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) i
  CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY k(attnum, position)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
$$;

CREATE FUNCTION rowvec_internal.key_facts(p_source smallint, OUT partitioned boolean, OUT settings text, OUT gathers boolean, OUT simple boolean, OUT fixed boolean, OUT key_type text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

CREATE FUNCTION rowvec_internal.key_matches(f record, p_record text, p_key text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF cardinality(f.keys) = 1 THEN
    RETURN format('%s.%I = (%s)::%s', p_record, f.keys[1], p_key, f.types[1]);
  END IF;
  RETURN (SELECT string_agg(format('%s.%I = ((%s)::rowvec_internal.source_%s_key).%I', p_record, k, p_key, f.id, k),
    ' AND ') FROM unnest(f.keys) k);
END $$;

CREATE FUNCTION rowvec_internal.key_path(p_table regclass, p_columns name[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT 'pg_catalog' || coalesce(string_agg(DISTINCT ', ' || quote_ident(n.nspname), ''), '') || ', pg_temp'
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE a.attrelid = p_table AND a.attname = ANY (p_columns) AND n.nspname <> 'pg_catalog'
$$;

CREATE FUNCTION rowvec_internal.key_text(p_record text, p_columns name[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE WHEN cardinality(p_columns) = 1 THEN format('%s.%I::text', p_record, p_columns[1])
    ELSE 'ROW(' || (SELECT string_agg(format('%s.%I', p_record, c), ', ') FROM unnest(p_columns) c) || ')::text' END
$$;

CREATE FUNCTION rowvec_internal.listens(p_way integer) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919907702 AND objid = p_way::oid
    AND objsubid = 2 AND granted
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
$$;

CREATE FUNCTION rowvec_internal.mailbox_folder() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_folder text;
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RETURN NULL;
  END IF;
  v_folder := format('%s/rowvec_queries/%s', current_setting('data_directory'), (SELECT oid FROM pg_database
    WHERE datname = current_database()));
  RETURN CASE WHEN (pg_stat_file(v_folder, true)).isdir THEN v_folder END;
END $$;

CREATE FUNCTION rowvec_internal.make_column(s rowvec_internal.source, p_dims integer) RETURNS rowvec_internal.source
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_problem text;
  v_timeout text := current_setting('lock_timeout');
BEGIN
  IF s.into_column IS NULL THEN
    RETURN s;
  ELSIF s.into_column = ANY (s.key_columns || s.text_columns) THEN
    RAISE EXCEPTION 'column "%" is a key or a text column of this source', s.into_column
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Name another: it is made if it is not there.';
  ELSIF EXISTS (SELECT FROM rowvec_internal.source o WHERE o.source_table = s.source_table
    AND o.into_column = s.into_column AND o.name <> s.name) THEN
    RAISE EXCEPTION 'column "%" of % is written by another source', s.into_column,
      rowvec_internal.table_name(s.source_table) USING ERRCODE = 'duplicate_object',
      HINT = 'Name another: it is made if it is not there.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = s.source_table
    AND a.attname = s.into_column AND NOT a.attisdropped) THEN
    PERFORM set_config('lock_timeout', '2s', true);
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s.vector(%s)', s.source_table, s.into_column,
      (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n
        ON n.oid = e.extnamespace WHERE e.extname = 'vector'), p_dims);
    PERFORM set_config('lock_timeout', v_timeout, true);
    s.into_made := true;
  END IF;
  v_problem := rowvec_internal.column_problem(s.source_table, s.into_column, p_dims);
  IF v_problem IS NOT NULL THEN
    RAISE EXCEPTION '%', v_problem USING ERRCODE = 'datatype_mismatch',
      HINT = 'Change the column, or name one that is not there yet: it is made as it must be.';
  END IF;
  s.into_number := (rowvec_internal.column_numbers(s.source_table, ARRAY[s.into_column]))[1];
  s.into_made := coalesce(s.into_made, false);
  RETURN s;
END $$;

CREATE FUNCTION rowvec_internal.make_functions(p_source smallint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  s       rowvec_internal.source;
  f       record := rowvec_internal.key_facts(p_source);
  v_moved text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  PERFORM set_config('search_path', rowvec_internal.key_path(s.source_table, s.key_columns), true);
  SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') INTO v_moved FROM unnest(s.key_columns) c;

  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[%3$s];
          WHEN 'DELETE' THEN v_keys := ARRAY[%4$s];
          ELSE v_keys := CASE WHEN %5$s THEN ARRAY[%3$s, %4$s] ELSE ARRAY[%3$s] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (%1$s, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT
        FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $t$;
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (%1$s);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION rowvec_internal.source_%1$s_row(), rowvec_internal.source_%1$s_truncate() FROM PUBLIC;
  $q$, p_source, f.settings, rowvec_internal.key_text('NEW', s.key_columns), rowvec_internal.key_text('OLD',
    s.key_columns),
       v_moved);
  IF NOT f.partitioned THEN
    PERFORM rowvec_internal.make_statement(p_source, f.settings, f.simple, f.fixed);
  END IF;
  IF f.gathers THEN
    PERFORM rowvec_internal.make_gather(p_source, f.key_type, f.simple);
  END IF;
END $_$;

CREATE FUNCTION rowvec_internal.make_gather(p_source smallint, p_type text, p_simple boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_setting text := format('rowvec.changed_%s', p_source);
  v_new     text := CASE WHEN p_simple THEN 'coalesce(p_new, '''')' ELSE 'coalesce(to_json(p_new)::text, '''')' END;
  v_old     text := CASE WHEN p_simple THEN 'coalesce(p_old, '''')' ELSE 'coalesce(to_json(p_old)::text, '''')' END;
  v_split   text := CASE WHEN p_simple THEN 'string_to_array(ltrim(v_text, '';,''), '','')'
                    ELSE 'ARRAY(SELECT json_array_elements_text((''['' || ltrim(v_text, '';,'') || '']'')::json))' END;
  v_log     text;
BEGIN
  v_log := format($q$
        BEGIN
          v_keys := nullif(%s::%s[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (%s, v_keys);$q$, v_split, p_type, p_source);
  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_gather(p_new text, p_old text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    DECLARE
      v_text text := current_setting('%2$s', true);
      v_new  text := %3$s;
      v_keys text[];
    BEGIN
      IF p_old IS DISTINCT FROM p_new THEN
        v_new := v_new || ',' || %4$s;
      END IF;
      IF v_text <> '' THEN
        v_text := set_config('%2$s', v_text || ',' || v_new, true);
        IF octet_length(v_text) > 1000 THEN%5$s
          v_text := set_config('%2$s', ';', true);
        END IF;
        RETURN false;
      END IF;
      v_text := set_config('%2$s', v_new, true);
      RETURN true;
    END $t$;
    -- the WHEN clause runs as the user
    GRANT EXECUTE ON FUNCTION rowvec_internal.source_%1$s_gather(text, text) TO PUBLIC;
  $q$, p_source, v_setting, v_new, v_old, v_log);
  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_flush() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $t$
    DECLARE
      v_text text := nullif(current_setting('%2$s', true), '');
      v_keys text[];
    BEGIN
      IF v_text IS DISTINCT FROM ';' THEN%3$s
      END IF;
      v_text := set_config('%2$s', '', true);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION rowvec_internal.source_%1$s_flush() FROM PUBLIC;
  $q$, p_source, v_setting, v_log);
END $_$;

CREATE FUNCTION rowvec_internal.make_statement(p_source smallint, p_settings text, p_simple boolean, p_fixed boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  s          rowvec_internal.source;
  v_direct   boolean;   -- the key is read by its place
  v_from     text := 'changed r';
  v_key      text;
  v_key_text text;
  v_window   text;      -- logs all rows, or those after an offset
  v_bulk     text;      -- logs a statement of many rows
  v_body     text;
BEGIN
  SELECT * INTO STRICT s FROM rowvec_internal.source WHERE id = p_source;
  v_direct := p_simple AND NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = s.source_table AND attnum > 0 AND attnum < s.key_numbers[1] AND NOT attisdropped);
  IF v_direct THEN
    v_key := format('r."key of source %s"', p_source);
    v_key_text := v_key || '::text';
    v_from := format('changed r("key of source %s")', p_source);
  ELSE
    v_key := format('r.%I', s.key_columns[1]);
    v_key_text := rowvec_internal.key_text('r', s.key_columns);
  END IF;

  v_window := $q$
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT %1$s, array_agg(k)
        FROM (SELECT %2$s AS k, (row_number() OVER () - 1) / 512 AS block FROM %3$s%4$s) s GROUP BY block;$q$;
  IF p_fixed THEN
    v_bulk := format($q$
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT %1$s, k[g:g + 511]::text[]
        FROM (SELECT array_agg(k) AS k FROM (SELECT %2$s AS k FROM %3$s LIMIT 524288) r) a,
             generate_series(1, cardinality(k), 512) g;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows = 1024 THEN%4$s
        END IF;$q$, p_source, v_key, v_from, format(v_window, p_source, v_key_text, v_from, ' OFFSET 524288'));
  ELSE
    v_bulk := format(v_window, p_source, v_key_text, v_from, '');
  END IF;

  IF v_direct THEN
    v_body := format($q$
      INSERT INTO rowvec_internal.change (source_id, keys)
      SELECT %1$s, ARRAY[%2$s] FROM %3$s WHERE NOT EXISTS (SELECT FROM changed OFFSET 1);
      GET DIAGNOSTICS v_rows = ROW_COUNT;
      IF v_rows = 0 OR pg_sequence_last_value('rowvec_internal.armed') = 2 THEN
        IF v_rows = 0 AND EXISTS (SELECT FROM changed) THEN%4$s
        END IF;
        IF v_rows > 0 THEN PERFORM rowvec_internal.ring(); END IF;
      END IF;$q$, p_source, v_key_text, v_from, v_bulk);
  ELSE
    v_body := format($q$
      BEGIN
        SELECT %2$s, EXISTS (SELECT FROM changed OFFSET 1) INTO v_key, v_more FROM %3$s;
        IF NOT FOUND THEN RETURN NULL; END IF;
      EXCEPTION WHEN OTHERS THEN
        v_more := false;
      END;
      IF v_more THEN%4$s
      ELSE
        INSERT INTO rowvec_internal.change (source_id, keys)
        VALUES (%1$s, CASE WHEN v_key IS NOT NULL THEN ARRAY[v_key] END);
      END IF;
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;$q$,
      p_source, v_key_text, v_from, v_bulk);
  END IF;
  EXECUTE format($q$
    CREATE OR REPLACE FUNCTION rowvec_internal.source_%1$s_statement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp %2$s AS $t$
    DECLARE
      v_key  text;
      v_more boolean;
      v_rows bigint;
    BEGIN%3$s
      RETURN NULL;
    END $t$;
    REVOKE EXECUTE ON FUNCTION rowvec_internal.source_%1$s_statement() FROM PUBLIC;
  $q$, p_source, p_settings, v_body);
END $_$;

CREATE FUNCTION rowvec_internal.make_vectors(s rowvec_internal.source, p_model rowvec_internal.model) RETURNS regclass
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_vectors text := format('rowvec.%I', s.name || '_vectors');
  v_schema  text := (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n
    ON n.oid = e.extnamespace WHERE e.extname = 'vector');
  v_keys    text := (SELECT string_agg(quote_ident(k), ', ' ORDER BY i)
    FROM unnest(s.key_columns) WITH ORDINALITY u(k, i));
BEGIN
  IF to_regclass(v_vectors) IS NULL THEN
    EXECUTE format('CREATE TABLE %s WITH (fillfactor = 80) AS SELECT %s FROM %s WITH NO DATA', v_vectors, v_keys,
      s.source_table);
    EXECUTE format('ALTER TABLE %s ADD chunk integer NOT NULL DEFAULT 0, ADD %s, ADD _hash bytea,
                      ADD _truncated boolean NOT NULL DEFAULT false,
                      ADD _version integer NOT NULL DEFAULT 1,
                        ADD _at timestamptz NOT NULL DEFAULT clock_timestamp(), ADD PRIMARY KEY (%s, chunk)',
                   v_vectors, CASE WHEN s.into_column IS NULL THEN format('embedding %s.vector(%s)', v_schema,
                     p_model.dims) ELSE '_sum bytea' END, v_keys);
    -- for the purge of tombstones
    EXECUTE format('CREATE INDEX ON %s (_at) WHERE chunk = 0 AND _hash IS NULL', v_vectors);
    EXECUTE format('COMMENT ON TABLE %s IS %L', v_vectors, CASE WHEN s.into_column IS NULL
      THEN 'Vectors of a source of rowvec, one row a chunk; join by the key columns. Only the daemon writes here.'
      ELSE 'Hashes of the texts and vectors of a source of rowvec; the vectors are in its table.'
           ' Only the daemon writes here.' END);
    -- inline while a row fits its page: an exact scan then reads no TOAST
    IF s.into_column IS NULL AND p_model.dims * 4 < 7800 THEN
      EXECUTE format('ALTER TABLE %s ALTER embedding SET STORAGE PLAIN', v_vectors);
    END IF;
  ELSIF coalesce((SELECT format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = v_vectors::regclass AND a.attname = 'embedding'), '')
        NOT LIKE (CASE WHEN s.into_column IS NULL THEN format('%%vector(%s)', p_model.dims) ELSE '' END)
      OR (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = v_vectors::regclass AND a.attnum BETWEEN 1 AND cardinality(s.key_columns)) IS DISTINCT
            FROM s.key_columns THEN
    RAISE EXCEPTION '% is there already, with other keys or vectors of another size', v_vectors
      USING ERRCODE = 'duplicate_table',
      HINT = format('DROP TABLE %s, or give another name: name => ''…''.', v_vectors);
  END IF;
  IF s.chunk_tokens IS NOT NULL OR s.on_overflow = 'chunk' THEN
    EXECUTE format('ALTER TABLE %s ADD COLUMN IF NOT EXISTS chunk_start integer,
                      ADD COLUMN IF NOT EXISTS chunk_end integer,
                      ADD COLUMN IF NOT EXISTS chunk_text text, ADD COLUMN IF NOT EXISTS _chunk_hash bytea', v_vectors);
  END IF;
  RETURN v_vectors::regclass;
END $$;

CREATE FUNCTION rowvec_internal.no_answer(p_way integer, p_after interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF rowvec_internal.listens(p_way) THEN
    RAISE EXCEPTION 'no daemon answered the query within %', p_after USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'A daemon listens, but is busy or has not this model: see its log,'
             ' or give it more time: SET rowvec.query_timeout = ''30 s''.';
  END IF;
  RAISE EXCEPTION 'no daemon is there to turn the query into a vector'
    USING ERRCODE = 'object_not_in_prerequisite_state',
    HINT = 'Start `rowvec daemon`, or pass a vector.';
END $$;

CREATE FUNCTION rowvec_internal.note_armed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $$
DECLARE
  v_armed bigint := 2;
BEGIN
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('rowvec_internal.armed', 0));
    v_armed := CASE WHEN EXISTS (SELECT FROM rowvec_internal.daemon WHERE armed) THEN 2 ELSE 1 END;
  EXCEPTION WHEN lock_not_available THEN NULL;
  END;
  IF pg_sequence_last_value('rowvec_internal.armed') IS DISTINCT FROM v_armed THEN
    PERFORM setval('rowvec_internal.armed', v_armed);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION rowvec_internal.own_vector(p_source text, p_row_type oid, p_key text, p_filter text, OUT vector public.vector, OUT others text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
DECLARE
  f record := rowvec_internal.search_facts(p_source, p_row_type);
BEGIN
  EXECUTE pg_catalog.format('SELECT %s FROM %s v WHERE %s',
    CASE WHEN f.chunks IS NULL THEN pg_catalog.format('v.%s::%s.vector', f.embedding, f.schema) ELSE f.schema ||
      '.avg(v.embedding)' END,
    f.vectors, rowvec_internal.key_matches(f, 'v', '$1')) INTO vector USING p_key;
  others := pg_catalog.format(E'(%s\n) AND NOT (%s)', coalesce(p_filter, 'true'), rowvec_internal.key_matches(f,
    f.alias, pg_catalog.quote_literal(p_key)));
END $_$;

CREATE FUNCTION rowvec_internal.part_sql(p_record text, p_table oid, p_column name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH RECURSIVE type(oid, base) AS (
    SELECT t.oid, t.typbasetype FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = p_table
      AND a.attname = p_column
    UNION ALL SELECT t.oid, t.typbasetype FROM type JOIN pg_type t ON t.oid = type.base
  )
  SELECT format('rowvec_internal.text_part(%s)', format(CASE
    WHEN t.typname IN ('json', 'jsonb') THEN 'rowvec_internal.json_text(%s::text)'
    WHEN t.typcategory = 'A' THEN 'pg_catalog.array_to_string(%s, '', '')'
    WHEN t.typname = 'bool' THEN 'CASE WHEN %1$s THEN ''yes'' WHEN NOT %1$s THEN ''no'' END'
    WHEN t.typname = 'date' THEN 'pg_catalog.to_char(%s, ''YYYY-MM-DD'')'
    WHEN t.typname = 'timestamp' THEN 'pg_catalog.to_char(%s, ''YYYY-MM-DD HH24:MI'')'
    WHEN t.typname = 'timestamptz' THEN 'pg_catalog.to_char(%s AT TIME ZONE ''UTC'', ''YYYY-MM-DD HH24:MI "UTC"'')'
    ELSE '%s::text' END, format('%s.%I', p_record, p_column)))
  FROM (VALUES (0)) one LEFT JOIN type ON type.base = 0 LEFT JOIN pg_type t ON t.oid = type.oid
$_$;

CREATE FUNCTION rowvec_internal.policy_statements(p_source smallint, p_vectors regclass) RETURNS TABLE(name text, statement text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT format('rowvec_read_%s', p_source),
         format('CREATE POLICY rowvec_read_%1$s ON %2$s FOR SELECT USING ('
                '(SELECT has_table_privilege(rowvec_internal.table_of(%1$s::smallint), ''SELECT''))'
                ' AND ((SELECT NOT row_security_active(rowvec_internal.table_of(%1$s::smallint)))'
                ' OR rowvec_internal.source_%1$s_visible(%3$I.*)))',
                p_source, p_vectors, (SELECT relname FROM pg_class WHERE oid = p_vectors))
  UNION ALL
  SELECT format('rowvec_write_%s', p_source),
         format('CREATE POLICY rowvec_write_%s ON %s TO %I USING (true) WITH CHECK (true)', p_source, p_vectors,
                (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'rowvec_internal'))
$_$;

CREATE FUNCTION rowvec_internal.prepare_search(p_source smallint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  f          record;
  v          rowvec_internal.prepared_search;
  v_settings text := 'LANGUAGE plpgsql STABLE ROWS 10 SET plan_cache_mode = force_generic_plan'
                     ' SET enable_sort = off SET jit = off';
  v_body     text := E'#variable_conflict use_column\nBEGIN RETURN QUERY SELECT %s, %s; END';
  v_hit      text;
BEGIN
  BEGIN
    SELECT x.* INTO f FROM rowvec_internal.source s, rowvec_internal.search_facts(s.name, NULL) x WHERE s.id = p_source;
    v := (p_source, f.prepared, f.relation, f.vectors, f.index);
  EXCEPTION WHEN OTHERS THEN
    NULL;   -- a broken source: nothing to search, and rowvec.status says why
  END;
  IF v.index IS NULL OR v.statement IS NULL OR f.kind <> 'vector' THEN
    DELETE FROM rowvec_internal.prepared_search WHERE source_id = p_source;
  ELSIF NOT EXISTS (SELECT FROM rowvec_internal.prepared_search p WHERE p = v) THEN
    v_hit := format('%s.%I::text', f.alias, f.keys[1]);
    EXECUTE format('CREATE OR REPLACE FUNCTION rowvec_internal.source_%s_nearest(query %s.vector, k integer,'
                   ' OUT hit text, OUT distance float8, OUT chunk integer, OUT passage text)'
                   ' RETURNS SETOF record %s AS %L',
                   p_source, f.schema, v_settings, format(v_body, v_hit, f.prepared));
    v_hit := format('%s.*::%s', f.alias, f.relation);
    EXECUTE format('CREATE OR REPLACE FUNCTION rowvec_internal.source_%s_nearest(query %s.vector, k integer,'
                   ' row_type anyelement, OUT hit anyelement, OUT distance float8, OUT chunk integer, OUT passage text)'
                   ' RETURNS SETOF record %s AS %L',
                   p_source, f.schema, v_settings, format(v_body, v_hit, f.prepared));
    INSERT INTO rowvec_internal.prepared_search SELECT v.* ON CONFLICT (source_id) DO UPDATE
    SET statement = EXCLUDED.statement, relation = EXCLUDED.relation, vectors = EXCLUDED.vectors,
      index = EXCLUDED.index;
  END IF;
END $$;

CREATE FUNCTION rowvec_internal.preview_facts(p_source text, OUT id smallint, OUT model_id smallint, OUT relation text, OUT text_sql text, OUT matches text, OUT max_tokens integer, OUT on_overflow text) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  f record := rowvec_internal.search_facts(p_source, NULL);
BEGIN
  SELECT s.id, s.model_id, s.source_table::text, rowvec_internal.text_sql('d', s.source_table, s.text_columns,
    s.template), rowvec_internal.key_matches(f, 'd', '$1'), m.max_tokens, s.on_overflow
    INTO id, model_id, relation, text_sql, matches, max_tokens, on_overflow
  FROM rowvec_internal.source s JOIN rowvec_internal.model m ON m.id = s.model_id WHERE s.name = p_source;
END $_$;

CREATE FUNCTION rowvec_internal.query_key(p_fingerprint text, p_precision text, p_prompt text, p_query text) RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT sha256(convert_to(jsonb_build_array(p_fingerprint, p_precision, p_prompt, p_query)::text, 'UTF8'))
$$;

CREATE FUNCTION rowvec_internal.query_lock(p_id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT hashtextextended(p_id::text, 1919907702)
$$;

CREATE FUNCTION rowvec_internal.query_model(p_source text, p_model text) RETURNS rowvec_internal.model
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_model rowvec_internal.model;
BEGIN
  IF p_source IS NOT NULL THEN
    SELECT m.* INTO v_model FROM rowvec_internal.source s JOIN rowvec_internal.model m ON m.id = s.model_id
      WHERE s.name = p_source;
    IF NOT FOUND THEN
      PERFORM rowvec_internal.source_id(p_source);
    END IF;
  ELSE
    SELECT m.* INTO v_model FROM rowvec_internal.model m WHERE CASE WHEN p_model IS NULL THEN m.is_default
      ELSE m.name = p_model END;
    IF NOT FOUND THEN
      RAISE EXCEPTION '%', coalesce(format('there is no model "%s"', p_model), 'there is no default model')
        USING ERRCODE = 'undefined_object',
        HINT = coalesce('Models: ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM rowvec_internal.model) || '.',
                        'Add one: `rowvec export all-MiniLM-L6-v2 --out DIR`, then `rowvec model add DIR --default`.');
    END IF;
  END IF;
  RETURN v_model;
END $$;

CREATE FUNCTION rowvec_internal.query_vector(p_query text, p_source text, p_model text) RETURNS public.vector
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_model   rowvec_internal.model := rowvec_internal.query_model(p_source, p_model);
  v_prompt  text := coalesce((SELECT query_prompt FROM rowvec_internal.source WHERE name = p_source),
    v_model.manifest -> 'prompts' ->> 'query', '');
  v_vector  rowvec_internal.query_cache.vector%TYPE;
BEGIN
  IF p_query IS NULL THEN
    RETURN NULL;
  END IF;
  IF p_query !~ '\S' THEN
    RAISE EXCEPTION 'the query text is blank' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say what to search for.';
  END IF;
  IF NOT pg_is_in_recovery() THEN   -- unlogged tables cannot be read on a standby
    SELECT c.vector INTO v_vector FROM rowvec_internal.query_cache c
    WHERE c.key = rowvec_internal.query_key(v_model.fingerprint, v_model.precision, v_prompt, p_query);
    IF FOUND THEN
      IF current_setting('transaction_read_only') = 'off' THEN
        PERFORM nextval('rowvec_internal.query_hits');
      END IF;
      RETURN v_vector;
    END IF;
  END IF;
  RETURN rowvec_internal.ask_daemon(v_model.id, v_prompt, p_query, NULL);
END $$;

CREATE FUNCTION rowvec_internal.query_way(OUT way text, OUT missing text, OUT answered boolean) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF rowvec_internal.extension_schema('dblink') IS NOT NULL AND EXISTS (SELECT FROM pg_foreign_server
    WHERE srvname = 'rowvec_loopback') THEN
    way := 'loopback';
    answered := rowvec_internal.listens(1);
  ELSIF rowvec_internal.mailbox_folder() IS NOT NULL THEN
    way := 'mailbox';
    answered := rowvec_internal.listens(2);
  ELSE
    answered := false;
    missing := CASE
      WHEN rowvec_internal.extension_schema('dblink') IS NOT NULL
        THEN 'Run `rowvec setup-loopback` once, then start `rowvec daemon`.'
      WHEN EXISTS (SELECT FROM pg_available_extensions WHERE name = 'dblink') THEN
        'Let an administrator run CREATE EXTENSION dblink in this database, then run `rowvec setup-loopback` once.'
      ELSE 'This server has no dblink (contrib): start `rowvec daemon` on the machine of the server,'
           ' as the user that runs the server, or embed the text in the client.' END;
  END IF;
END $$;

CREATE FUNCTION rowvec_internal.ready(p_source text, p_row_type oid, OUT id smallint, OUT source_table oid, OUT relation text, OUT vectors_rows double precision) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
BEGIN
  SELECT s.id, s.source_table, p.relation, greatest(v.reltuples, pg_stat_get_live_tuples(v.oid)) INTO id,
    source_table, relation, vectors_rows
  FROM rowvec_internal.source s JOIN rowvec_internal.prepared_search p ON p.source_id = s.id
  JOIN pg_class v ON v.oid = CASE WHEN s.into_column IS NULL THEN s.vector_table ELSE s.source_table END
  WHERE s.name = p_source AND p.relation = s.source_table::text AND p.vectors = v.oid::regclass::text
    AND to_regclass(p.index) IS NOT NULL
    AND (p_row_type IS NULL OR format_type(p_row_type, NULL) = p.relation);
END $$;

CREATE FUNCTION rowvec_internal.release_queries(p_ids uuid[]) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT bool_and(pg_advisory_unlock(rowvec_internal.query_lock(id))) FROM unnest(p_ids) id
$$;

CREATE FUNCTION rowvec_internal.remake_source(p_source smallint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  s         rowvec_internal.source;
  v_enable  text;
  v_enabled text[];
BEGIN
  SELECT * INTO s FROM rowvec_internal.source WHERE id = p_source;
  IF NOT FOUND OR s.state = 'broken' OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.source_table)
     OR NOT EXISTS (SELECT FROM pg_class WHERE oid = s.vector_table) THEN
    RETURN;
  END IF;
  PERFORM rowvec_internal.make_functions(p_source);
  PERFORM rowvec_internal.grant_vectors(p_source);
  v_enabled := rowvec_internal.drop_outdated(p_source);
  IF s.state = 'active' THEN
    PERFORM rowvec_internal.install_triggers(p_source);
    FOREACH v_enable IN ARRAY v_enabled LOOP
      EXECUTE v_enable;
    END LOOP;
  END IF;
  PERFORM rowvec_internal.grant_vectors(p_source);
  DELETE FROM rowvec_internal.prepared_search WHERE source_id = p_source;   -- so that its functions are made anew
  PERFORM rowvec_internal.prepare_search(p_source);
END $$;

CREATE FUNCTION rowvec_internal.remember_queries(p_model smallint, p_prompt text, p_queries text[], p_vectors public.vector[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  INSERT INTO rowvec_internal.query_cache (key, model_id, vector)
  SELECT rowvec_internal.query_key(m.fingerprint, m.precision, p_prompt, q.query), m.id, q.vector
  FROM rowvec_internal.model m, unnest(p_queries, p_vectors) q(query, vector) WHERE m.id = p_model
  ON CONFLICT (key) DO NOTHING;
END $$;

CREATE FUNCTION rowvec_internal.resolve(p_source smallint) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  s          rowvec_internal.source;
  v_kind     "char";
  v_problem  text;
  v_names    name[];
  v_old      name[];
  v_numbers  smallint[];
  v_types    text[];
  v_missing  name;
  v_into     name;                                      -- of the vector's column
  v_number   smallint;
  v_state    text;
  v_shape    text;
  v_changed  boolean := false;
  v_lost     boolean := false;
  v_timeout  text := current_setting('lock_timeout');
BEGIN
  SELECT * INTO s FROM rowvec_internal.source WHERE id = p_source;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT relkind INTO v_kind FROM pg_catalog.pg_class WHERE oid = s.source_table;
  v_old := s.key_columns || s.text_columns;
  SELECT array_agg(coalesce(n.attname, m.attname) ORDER BY c.i), array_agg(coalesce(n.attnum, m.attnum) ORDER BY c.i),
         (array_agg(format_type(coalesce(n.atttypid, m.atttypid), coalesce(n.atttypmod, m.atttypmod))
           ORDER BY c.i))[:cardinality(s.key_columns)],
         (array_agg(c.name ORDER BY c.i) FILTER (WHERE coalesce(n.attname, m.attname) IS NULL))[1]
    INTO v_names, v_numbers, v_types, v_missing
  FROM unnest(v_old, s.key_numbers || s.text_numbers) WITH ORDINALITY c(name, number, i)
  LEFT JOIN pg_catalog.pg_attribute n ON n.attrelid = s.source_table AND n.attname = c.name AND NOT n.attisdropped
  LEFT JOIN pg_catalog.pg_attribute m ON m.attrelid = s.source_table AND m.attnum = c.number AND NOT m.attisdropped;

  SELECT a.attname, a.attnum INTO v_into, v_number FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = s.source_table AND (a.attname = s.into_column OR a.attnum = s.into_number) AND NOT a.attisdropped
  ORDER BY a.attname = s.into_column DESC LIMIT 1;

  IF v_kind IS NULL THEN
    v_problem := 'its table is gone: unwatch it';
  ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = s.vector_table) THEN
    v_problem := 'its vector table is gone: unwatch it, and watch it again';
    v_lost := true;
  ELSIF v_missing IS NOT NULL THEN
    v_problem := format('column "%s" is gone: unwatch the source, or watch other columns', v_missing);
  ELSIF s.into_column IS NOT NULL AND rowvec_internal.column_problem(s.source_table, coalesce(v_into, s.into_column),
    (SELECT dims FROM rowvec_internal.model WHERE id = s.model_id)) IS NOT NULL THEN
    v_problem := rowvec_internal.column_problem(s.source_table, coalesce(v_into, s.into_column),
      (SELECT dims FROM rowvec_internal.model WHERE id = s.model_id));
    v_lost := true;
  ELSE
    IF v_names <> v_old OR v_numbers <> s.key_numbers || s.text_numbers OR v_types <> s.key_types
      OR v_into <> s.into_column OR v_number <> s.into_number THEN
      BEGIN   -- writers queue up behind a lock that we wait for: a short try now, another at the next call
        PERFORM set_config('lock_timeout', '50ms', true);
        UPDATE rowvec_internal.source SET into_column = v_into, into_number = v_number WHERE id = p_source
          AND v_into IS NOT NULL;
        PERFORM rowvec_internal.follow(p_source, v_names, v_numbers, v_types);
        v_changed := true;
      EXCEPTION WHEN OTHERS THEN
        v_problem := format('its columns have changed, and that could not be followed: %s', SQLERRM);
      END;
      PERFORM set_config('lock_timeout', v_timeout, true);
    END IF;
    v_shape := rowvec_internal.shape(s.source_table);
    IF v_problem IS NOT NULL THEN NULL;
    ELSIF NOT has_table_privilege(s.source_table, 'SELECT') THEN
      v_problem := format('role %s may not read %s: GRANT SELECT', current_user,
        rowvec_internal.table_name(s.source_table));
    ELSIF s.into_column IS NOT NULL AND NOT has_column_privilege(s.source_table, v_number, 'UPDATE') THEN
      v_problem := format('role %s may not write the vectors: GRANT UPDATE (%I) ON %s TO %1$I', current_user, v_into,
        rowvec_internal.table_name(s.source_table));
    ELSIF row_security_active(s.source_table) THEN
      v_problem := format('row-level security hides rows of %s from role %s: give it BYPASSRLS',
        rowvec_internal.table_name(s.source_table), current_user);
    ELSIF s.state <> 'paused' THEN
      SELECT format('trigger %s is %s: changes are found by the recheck only', want, CASE WHEN t.oid IS NULL
        THEN 'missing' ELSE 'disabled' END)
        INTO v_problem
      FROM unnest(ARRAY['insert', 'update', 'truncate'] || CASE WHEN v_kind = 'p' THEN '{}'::text[]
        ELSE '{delete}' END || CASE WHEN s.into_column IS NULL THEN '{}'::text[] ELSE '{vector}' END) event,
           format('rowvec_%s_%s', p_source, event) want
      LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = s.source_table AND t.tgname = want
      WHERE t.oid IS NULL OR t.tgenabled = 'D' LIMIT 1;
      IF v_problem IS NULL AND v_kind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits
        WHERE inhparent = s.source_table) THEN
        v_problem := 'tables inherit from it, and direct writes to those are found by the recheck only';
      END IF;
    END IF;
  END IF;

  v_state := CASE WHEN s.state = 'paused' THEN 'paused' WHEN v_kind IS NULL OR v_missing IS NOT NULL OR v_lost
    THEN 'broken' ELSE 'active' END;
  IF v_problem IS DISTINCT FROM s.problem OR v_state <> s.state OR v_shape <> s.shape THEN
    UPDATE rowvec_internal.source SET problem = v_problem, state = v_state, shape = coalesce(v_shape, shape)
      WHERE id = p_source;
  END IF;
  -- Followed, healed, or of another shape: what happened meanwhile is unknown.
  IF v_state = 'active' AND (v_changed OR v_problem IS NULL AND s.problem IS NOT NULL OR v_shape <> s.shape
    AND s.shape <> '') THEN
    PERFORM rowvec.recheck(s.name);
  END IF;
  RETURN v_problem;
END $_$;

CREATE FUNCTION rowvec_internal.ring(about text DEFAULT ''::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND pg_notification_queue_usage() < 0.9 THEN
    PERFORM pg_notify('rowvec', about);
  END IF;
END $$;

CREATE FUNCTION rowvec_internal.same_database(p_database oid, p_started numeric) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT extract(epoch FROM pg_postmaster_start_time()) = p_started AND EXISTS (SELECT FROM pg_database
    WHERE oid = p_database AND datname = current_database())
$$;

CREATE FUNCTION rowvec_internal.search_facts(p_source text, p_row_type oid, OUT id smallint, OUT name text, OUT source_table oid, OUT relation text, OUT alias text, OUT vectors text, OUT embedding text, OUT in_row boolean, OUT query text, OUT vectors_rows double precision, OUT keys name[], OUT types text[], OUT texts name[], OUT dims integer, OUT operator text, OUT schema text, OUT kind text, OUT chunks double precision, OUT row_text text, OUT prepared text, OUT index text) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
#variable_conflict use_column
DECLARE
  s             rowvec_internal.source;
  v_vectors     regclass;
  v_source_rows float8;
  v_similarity  text;
  v_number      smallint;
  v_type        text;
  v_on          oid[];   -- in column mode: what depends on the column, our index among it
  v_classes     oid[];
BEGIN
  IF p_source IS NULL THEN
    p_source := rowvec_internal.source_of(p_row_type);
  END IF;
  SELECT * INTO s FROM rowvec_internal.source x WHERE x.name = p_source;
  IF s.id IS NULL THEN
    PERFORM rowvec_internal.source_id(p_source);
  END IF;
  id := s.id;
  name := s.name;
  source_table := s.source_table;
  relation := s.source_table;
  keys := s.key_columns;
  types := s.key_types;
  texts := s.text_columns;
  in_row := s.into_column IS NOT NULL;
  v_vectors := CASE WHEN in_row THEN s.source_table ELSE s.vector_table END;
  vectors := v_vectors;
  SELECT m.dims, m.similarity INTO dims, v_similarity FROM rowvec_internal.model m WHERE m.id = s.model_id;
  SELECT quote_ident(c.relname), c.reltuples INTO alias, v_source_rows FROM pg_class c WHERE c.oid = s.source_table;
  -- the latter before the first ANALYZE, too
  SELECT greatest(c.reltuples, pg_stat_get_live_tuples(c.oid)) INTO vectors_rows FROM pg_class c
    WHERE c.oid = v_vectors;
  SELECT quote_ident(e.attname), e.attnum, e.atttypid::regtype INTO embedding, v_number, v_type FROM pg_attribute e
  WHERE e.attrelid = v_vectors AND e.attname = coalesce(s.into_column, 'embedding') AND NOT e.attisdropped;
  IF alias IS NULL OR vectors_rows IS NULL THEN
    RAISE EXCEPTION 'the table of source "%" is gone', name USING ERRCODE = 'undefined_table',
      HINT = format('SELECT rowvec.unwatch(%L);', name);
  ELSIF relation <> format_type(p_row_type, NULL) THEN   -- a table and the type of its rows have one name
    RAISE EXCEPTION 'source "%" watches %, not %', name, relation, format_type(p_row_type, NULL)
      USING ERRCODE = 'datatype_mismatch';
  ELSIF embedding IS NULL THEN
    RAISE EXCEPTION 'the column with the vectors of source "%" is gone', name USING ERRCODE = 'undefined_column',
      HINT = 'SELECT problem FROM rowvec.status says what to do.';
  END IF;

  IF in_row THEN
    SELECT array_agg(d.objid) INTO v_on FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass
      AND d.refobjid = v_vectors AND d.refobjsubid = v_number AND d.classid = 'pg_class'::regclass;
    v_on := coalesce(v_on, '{}');
  END IF;
  SELECT array_agg(i.indexrelid), array_agg(i.indclass[0]) INTO v_on, v_classes FROM pg_index i
  WHERE i.indrelid = v_vectors AND i.indisvalid AND NOT i.indisunique AND i.indpred IS NULL
    AND (v_on IS NULL OR i.indexrelid = ANY (v_on));
  IF v_on IS NOT NULL THEN
    SELECT split_part(o.opcname, '_', 1), v_on[array_position(v_classes, o.oid)]::regclass INTO kind, index
      FROM pg_opclass o
    WHERE o.oid = ANY (v_classes) AND o.opcmethod = (SELECT a.oid FROM pg_am a WHERE a.amname = 'hnsw')
      AND (o.opcname = 'bit_hamming_ops' OR o.opcname LIKE CASE v_similarity WHEN 'cosine' THEN '%cosine_ops'
        WHEN 'dot' THEN '%ip_ops' ELSE '%l2_ops' END)
    ORDER BY o.opcname DESC LIMIT 1;
  END IF;
  schema := left(v_type, -length(CASE WHEN v_type LIKE '%.halfvec' THEN '.halfvec' ELSE '.vector' END));
  operator := format('OPERATOR(%s.%s)', schema, CASE v_similarity WHEN 'cosine' THEN '<=>' WHEN 'dot' THEN '<#>'
    ELSE '<->' END);
  query := '$1';
  IF v_type LIKE '%.halfvec' THEN
    query := format('$1::%s.halfvec(%s)', schema, dims);
    kind := CASE WHEN kind = 'halfvec' THEN 'vector' ELSE kind END;   -- no rounding beyond the column's own
  END IF;
  IF s.chunk_tokens IS NOT NULL OR s.on_overflow = 'chunk' THEN
    chunks := greatest(1, vectors_rows / greatest(v_source_rows, 1));
    row_text := rowvec_internal.text_sql(alias, source_table, texts, s.template);
  ELSIF cardinality(keys) > 1 THEN
    NULL;
  ELSIF in_row THEN
    prepared := format('%1$s.%2$s %3$s %4$s AS distance, 0 AS chunk, NULL::text AS passage FROM %5$s AS %1$s'
                       ' WHERE %1$s.%2$s IS NOT NULL ORDER BY %1$s.%2$s %3$s %4$s LIMIT $2',
      alias, embedding, operator, query, relation);
  ELSE
    prepared := format('_rowvec.embedding %1$s %2$s AS distance, 0 AS chunk, NULL::text AS passage FROM %3$s _rowvec'
                       ' JOIN %4$s AS %5$s ON %5$s.%6$I = _rowvec.%6$I'
                    ' WHERE _rowvec.embedding IS NOT NULL ORDER BY _rowvec.embedding %1$s %2$s LIMIT $2',
      operator, query, vectors, relation, alias, keys[1]);
  END IF;
END $_$;

CREATE FUNCTION rowvec_internal.search_sql(f record, p_typed boolean, p_filter text, p_exact boolean, p_wider double precision DEFAULT 1, p_per_row boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_hit      text;      -- what the search returns of a row: its key as text, or the row itself
  v_vector   text := CASE WHEN f.in_row THEN 's.vector' ELSE 'v.embedding' END;
  v_distance text;      -- the true distance
  v_order    text;      -- what the index is ordered by
  v_wider    integer := ceil(p_wider);
  v_keys     text;      -- the key columns in the sub-select, as key1, key2, …
  v_join     text;      -- the same compared with those of the vector table
  v_rows     text;      -- the source's rows that pass the filter
  v_within   text;      -- the largest distance
BEGIN
  v_hit := CASE WHEN p_typed THEN format('%s.*::%s', f.alias, f.relation)
                WHEN cardinality(f.keys) = 1 THEN format('%s.%I::text', f.alias, f.keys[1])
                ELSE rowvec_internal.key_text(f.alias, f.keys) END;
  IF p_filter IS NULL AND p_wider = 1 AND f.kind = 'vector' AND f.prepared IS NOT NULL AND NOT p_exact THEN
    RETURN format('SELECT %s AS hit, %s', v_hit, f.prepared);
  END IF;

  v_distance := format('%s %s %s', v_vector, f.operator, f.query);
  v_order := v_distance;
  IF p_exact THEN
    v_order := format('(%s) + 0.0::float8', v_distance);
  ELSIF f.kind = 'halfvec' THEN
    v_order := format('%2$s::%1$s %3$s $1::%1$s', format('%s.halfvec(%s)', f.schema, f.dims), v_vector, f.operator);
    v_wider := greatest(2, v_wider);
  ELSIF f.kind = 'bit' THEN
    v_order := format('%1$s.binary_quantize(%3$s)::bit(%2$s) OPERATOR(%1$s.<~>) %1$s.binary_quantize(%4$s)::bit(%2$s)',
                      f.schema, f.dims, v_vector, f.query);
    v_wider := greatest(10, v_wider);
  END IF;
  IF cardinality(f.keys) = 1 THEN
    v_keys := format('%s.%I AS key1', f.alias, f.keys[1]);
    v_join := format('s.key1 = v.%I', f.keys[1]);
  ELSE
    SELECT string_agg(format('%s.%I AS key%s', f.alias, k, i), ', '),
           string_agg(format('s.key%s = v.%I', i, k),
      ' AND ')
      INTO v_keys, v_join FROM unnest(f.keys) WITH ORDINALITY u(k, i);
  END IF;
  IF f.chunks IS NOT NULL THEN
    RETURN rowvec_internal.chunk_search_sql(
      f, v_hit, v_keys, v_join, p_filter, p_exact, v_distance, v_order, v_wider, p_per_row);
  END IF;

  v_rows := format(E'FROM %s AS %s WHERE (%s\n)', f.relation, f.alias, coalesce(p_filter, 'true'));
  IF f.in_row THEN
    v_rows := format('(SELECT %s.%s AS vector, %s AS hit %s) s', f.alias, f.embedding, v_hit, v_rows);
  ELSE
    v_rows := format('%s v JOIN (SELECT %s, %s AS hit %s) s ON %s', f.vectors, v_keys, v_hit, v_rows, v_join);
  END IF;
  v_within := CASE WHEN p_exact THEN ' WHERE $3 IS NULL OR x.distance <= $3' ELSE '' END;
  RETURN format('SELECT x.hit, x.distance, 0 AS chunk, NULL::text AS passage'
                ' FROM (SELECT s.hit, %s AS distance FROM %s WHERE %s IS NOT NULL ORDER BY %s LIMIT $2 * %s) x%s'
                ' ORDER BY x.distance + 0.0::float8 LIMIT $2',
                v_distance, v_rows, v_vector, v_order, v_wider, v_within);
END $_$;

CREATE FUNCTION rowvec_internal.set_loopback(p_host text, p_port integer, p_user text, p_password text, p_connect_s integer, p_idle_s integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_owner name := (SELECT r.rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
    WHERE p.oid = 'rowvec_internal.try_loopback()'::regprocedure);
BEGIN
  DROP SERVER IF EXISTS rowvec_loopback CASCADE;
  EXECUTE format('CREATE SERVER rowvec_loopback FOREIGN DATA WRAPPER dblink_fdw'
                 ' OPTIONS (host %L, port %L, dbname %L, connect_timeout %L, options %L)',
    p_host, p_port, current_database(), p_connect_s,
      format('-c idle_session_timeout=%ss -c synchronous_commit=off -c statement_timeout=10s'
           ' -c application_name=rowvec_loopback', p_idle_s));
  EXECUTE format('GRANT USAGE ON FOREIGN SERVER rowvec_loopback TO %I', v_owner);
  EXECUTE format('CREATE USER MAPPING FOR %I SERVER rowvec_loopback OPTIONS (user %L, password %L)', v_owner, p_user,
    p_password);
END $$;

CREATE FUNCTION rowvec_internal.shape(p_table regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH RECURSIVE tree(oid) AS (
    SELECT p_table::oid UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
      AND NOT i.inhdetachpending
  )
  SELECT md5(string_agg(c.oid || ':' || c.relfilenode, ' ' ORDER BY c.oid)) FROM tree JOIN pg_class c USING (oid)
$$;

CREATE FUNCTION rowvec_internal.source_1_flush() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := nullif(current_setting('rowvec.changed_1', true), '');
      v_keys text[];
    BEGIN
      IF v_text IS DISTINCT FROM ';' THEN
        BEGIN
          v_keys := nullif(string_to_array(ltrim(v_text, ';,'), ',')::pg_catalog.int4[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (1, v_keys);
      END IF;
      v_text := set_config('rowvec.changed_1', '', true);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_1_gather(p_new text, p_old text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := current_setting('rowvec.changed_1', true);
      v_new  text := coalesce(p_new, '');
      v_keys text[];
    BEGIN
      IF p_old IS DISTINCT FROM p_new THEN
        v_new := v_new || ',' || coalesce(p_old, '');
      END IF;
      IF v_text <> '' THEN
        v_text := set_config('rowvec.changed_1', v_text || ',' || v_new, true);
        IF octet_length(v_text) > 1000 THEN
        BEGIN
          v_keys := nullif(string_to_array(ltrim(v_text, ';,'), ',')::pg_catalog.int4[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (1, v_keys);
          v_text := set_config('rowvec.changed_1', ';', true);
        END IF;
        RETURN false;
      END IF;
      v_text := set_config('rowvec.changed_1', v_new, true);
      RETURN true;
    END $$;

CREATE FUNCTION rowvec_internal.source_1_nearest(query public.vector, k integer, OUT hit text, OUT distance double precision, OUT chunk integer, OUT passage text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 10
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $_$#variable_conflict use_column
BEGIN RETURN QUERY SELECT plain.id::text, _rowvec.embedding OPERATOR(public.<=>) $1 AS distance, 0 AS chunk, NULL::text AS passage FROM rowvec.plain_vectors _rowvec JOIN public.plain AS plain ON plain.id = _rowvec.id WHERE _rowvec.embedding IS NOT NULL ORDER BY _rowvec.embedding OPERATOR(public.<=>) $1 LIMIT $2; END$_$;

CREATE FUNCTION rowvec_internal.source_1_nearest(query public.vector, k integer, row_type anyelement, OUT hit anyelement, OUT distance double precision, OUT chunk integer, OUT passage text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 10
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $_$#variable_conflict use_column
BEGIN RETURN QUERY SELECT plain.*::public.plain, _rowvec.embedding OPERATOR(public.<=>) $1 AS distance, 0 AS chunk, NULL::text AS passage FROM rowvec.plain_vectors _rowvec JOIN public.plain AS plain ON plain.id = _rowvec.id WHERE _rowvec.embedding IS NOT NULL ORDER BY _rowvec.embedding OPERATOR(public.<=>) $1 LIMIT $2; END$_$;

CREATE FUNCTION rowvec_internal.source_1_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[NEW.id::text];
          WHEN 'DELETE' THEN v_keys := ARRAY[OLD.id::text];
          ELSE v_keys := CASE WHEN OLD.id IS DISTINCT FROM NEW.id THEN ARRAY[NEW.id::text, OLD.id::text] ELSE ARRAY[NEW.id::text] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (1, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT
        FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_1_statement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_key  text;
      v_more boolean;
      v_rows bigint;
    BEGIN
      INSERT INTO rowvec_internal.change (source_id, keys)
      SELECT 1, ARRAY[r."key of source 1"::text] FROM changed r("key of source 1") WHERE NOT EXISTS (SELECT FROM changed OFFSET 1);
      GET DIAGNOSTICS v_rows = ROW_COUNT;
      IF v_rows = 0 OR pg_sequence_last_value('rowvec_internal.armed') = 2 THEN
        IF v_rows = 0 AND EXISTS (SELECT FROM changed) THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 1, k[g:g + 511]::text[]
        FROM (SELECT array_agg(k) AS k FROM (SELECT r."key of source 1" AS k FROM changed r("key of source 1") LIMIT 524288) r) a,
             generate_series(1, cardinality(k), 512) g;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows = 1024 THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 1, array_agg(k)
        FROM (SELECT r."key of source 1"::text AS k, (row_number() OVER () - 1) / 512 AS block FROM changed r("key of source 1") OFFSET 524288) s GROUP BY block;
        END IF;
        END IF;
        IF v_rows > 0 THEN PERFORM rowvec_internal.ring(); END IF;
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_1_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (1);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_1_visible(v record) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 1000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ BEGIN RETURN EXISTS (SELECT FROM public.plain s WHERE s.id = v.id); END $$;

CREATE FUNCTION rowvec_internal.source_2_flush() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := nullif(current_setting('rowvec.changed_2', true), '');
      v_keys text[];
    BEGIN
      IF v_text IS DISTINCT FROM ';' THEN
        BEGIN
          v_keys := nullif(string_to_array(ltrim(v_text, ';,'), ',')::pg_catalog.int4[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (2, v_keys);
      END IF;
      v_text := set_config('rowvec.changed_2', '', true);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_2_gather(p_new text, p_old text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := current_setting('rowvec.changed_2', true);
      v_new  text := coalesce(p_new, '');
      v_keys text[];
    BEGIN
      IF p_old IS DISTINCT FROM p_new THEN
        v_new := v_new || ',' || coalesce(p_old, '');
      END IF;
      IF v_text <> '' THEN
        v_text := set_config('rowvec.changed_2', v_text || ',' || v_new, true);
        IF octet_length(v_text) > 1000 THEN
        BEGIN
          v_keys := nullif(string_to_array(ltrim(v_text, ';,'), ',')::pg_catalog.int4[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (2, v_keys);
          v_text := set_config('rowvec.changed_2', ';', true);
        END IF;
        RETURN false;
      END IF;
      v_text := set_config('rowvec.changed_2', v_new, true);
      RETURN true;
    END $$;

CREATE FUNCTION rowvec_internal.source_2_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[NEW.id::text];
          WHEN 'DELETE' THEN v_keys := ARRAY[OLD.id::text];
          ELSE v_keys := CASE WHEN OLD.id IS DISTINCT FROM NEW.id THEN ARRAY[NEW.id::text, OLD.id::text] ELSE ARRAY[NEW.id::text] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (2, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT
        FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_2_statement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_key  text;
      v_more boolean;
      v_rows bigint;
    BEGIN
      INSERT INTO rowvec_internal.change (source_id, keys)
      SELECT 2, ARRAY[r."key of source 2"::text] FROM changed r("key of source 2") WHERE NOT EXISTS (SELECT FROM changed OFFSET 1);
      GET DIAGNOSTICS v_rows = ROW_COUNT;
      IF v_rows = 0 OR pg_sequence_last_value('rowvec_internal.armed') = 2 THEN
        IF v_rows = 0 AND EXISTS (SELECT FROM changed) THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 2, k[g:g + 511]::text[]
        FROM (SELECT array_agg(k) AS k FROM (SELECT r."key of source 2" AS k FROM changed r("key of source 2") LIMIT 524288) r) a,
             generate_series(1, cardinality(k), 512) g;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows = 1024 THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 2, array_agg(k)
        FROM (SELECT r."key of source 2"::text AS k, (row_number() OVER () - 1) / 512 AS block FROM changed r("key of source 2") OFFSET 524288) s GROUP BY block;
        END IF;
        END IF;
        IF v_rows > 0 THEN PERFORM rowvec_internal.ring(); END IF;
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_2_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (2);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_2_visible(v record) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 1000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ BEGIN RETURN EXISTS (SELECT FROM public.chunky s WHERE s.id = v.id); END $$;

CREATE FUNCTION rowvec_internal.source_3_flush() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := nullif(current_setting('rowvec.changed_3', true), '');
      v_keys text[];
    BEGIN
      IF v_text IS DISTINCT FROM ';' THEN
        BEGIN
          v_keys := nullif(string_to_array(ltrim(v_text, ';,'), ',')::pg_catalog.int4[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (3, v_keys);
      END IF;
      v_text := set_config('rowvec.changed_3', '', true);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_3_gather(p_new text, p_old text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := current_setting('rowvec.changed_3', true);
      v_new  text := coalesce(p_new, '');
      v_keys text[];
    BEGIN
      IF p_old IS DISTINCT FROM p_new THEN
        v_new := v_new || ',' || coalesce(p_old, '');
      END IF;
      IF v_text <> '' THEN
        v_text := set_config('rowvec.changed_3', v_text || ',' || v_new, true);
        IF octet_length(v_text) > 1000 THEN
        BEGIN
          v_keys := nullif(string_to_array(ltrim(v_text, ';,'), ',')::pg_catalog.int4[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (3, v_keys);
          v_text := set_config('rowvec.changed_3', ';', true);
        END IF;
        RETURN false;
      END IF;
      v_text := set_config('rowvec.changed_3', v_new, true);
      RETURN true;
    END $$;

CREATE FUNCTION rowvec_internal.source_3_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[NEW.id::text];
          WHEN 'DELETE' THEN v_keys := ARRAY[OLD.id::text];
          ELSE v_keys := CASE WHEN OLD.id IS DISTINCT FROM NEW.id THEN ARRAY[NEW.id::text, OLD.id::text] ELSE ARRAY[NEW.id::text] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (3, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT
        FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_3_statement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_key  text;
      v_more boolean;
      v_rows bigint;
    BEGIN
      INSERT INTO rowvec_internal.change (source_id, keys)
      SELECT 3, ARRAY[r."key of source 3"::text] FROM changed r("key of source 3") WHERE NOT EXISTS (SELECT FROM changed OFFSET 1);
      GET DIAGNOSTICS v_rows = ROW_COUNT;
      IF v_rows = 0 OR pg_sequence_last_value('rowvec_internal.armed') = 2 THEN
        IF v_rows = 0 AND EXISTS (SELECT FROM changed) THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 3, k[g:g + 511]::text[]
        FROM (SELECT array_agg(k) AS k FROM (SELECT r."key of source 3" AS k FROM changed r("key of source 3") LIMIT 524288) r) a,
             generate_series(1, cardinality(k), 512) g;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows = 1024 THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 3, array_agg(k)
        FROM (SELECT r."key of source 3"::text AS k, (row_number() OVER () - 1) / 512 AS block FROM changed r("key of source 3") OFFSET 524288) s GROUP BY block;
        END IF;
        END IF;
        IF v_rows > 0 THEN PERFORM rowvec_internal.ring(); END IF;
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_3_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (3);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_4_flush() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := nullif(current_setting('rowvec.changed_4', true), '');
      v_keys text[];
    BEGIN
      IF v_text IS DISTINCT FROM ';' THEN
        BEGIN
          v_keys := nullif(ARRAY(SELECT json_array_elements_text(('[' || ltrim(v_text, ';,') || ']')::json))::rowvec_internal.source_4_key[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (4, v_keys);
      END IF;
      v_text := set_config('rowvec.changed_4', '', true);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_4_gather(p_new text, p_old text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := current_setting('rowvec.changed_4', true);
      v_new  text := coalesce(to_json(p_new)::text, '');
      v_keys text[];
    BEGIN
      IF p_old IS DISTINCT FROM p_new THEN
        v_new := v_new || ',' || coalesce(to_json(p_old)::text, '');
      END IF;
      IF v_text <> '' THEN
        v_text := set_config('rowvec.changed_4', v_text || ',' || v_new, true);
        IF octet_length(v_text) > 1000 THEN
        BEGIN
          v_keys := nullif(ARRAY(SELECT json_array_elements_text(('[' || ltrim(v_text, ';,') || ']')::json))::rowvec_internal.source_4_key[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (4, v_keys);
          v_text := set_config('rowvec.changed_4', ';', true);
        END IF;
        RETURN false;
      END IF;
      v_text := set_config('rowvec.changed_4', v_new, true);
      RETURN true;
    END $$;

CREATE FUNCTION rowvec_internal.source_4_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[ROW(NEW.site, NEW.id)::text];
          WHEN 'DELETE' THEN v_keys := ARRAY[ROW(OLD.site, OLD.id)::text];
          ELSE v_keys := CASE WHEN OLD.site IS DISTINCT FROM NEW.site OR OLD.id IS DISTINCT FROM NEW.id THEN ARRAY[ROW(NEW.site, NEW.id)::text, ROW(OLD.site, OLD.id)::text] ELSE ARRAY[ROW(NEW.site, NEW.id)::text] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (4, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT
        FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_4_statement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_key  text;
      v_more boolean;
      v_rows bigint;
    BEGIN
      BEGIN
        SELECT ROW(r.site, r.id)::text, EXISTS (SELECT FROM changed OFFSET 1) INTO v_key, v_more FROM changed r;
        IF NOT FOUND THEN RETURN NULL; END IF;
      EXCEPTION WHEN OTHERS THEN
        v_more := false;
      END;
      IF v_more THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 4, array_agg(k)
        FROM (SELECT ROW(r.site, r.id)::text AS k, (row_number() OVER () - 1) / 512 AS block FROM changed r) s GROUP BY block;
      ELSE
        INSERT INTO rowvec_internal.change (source_id, keys)
        VALUES (4, CASE WHEN v_key IS NOT NULL THEN ARRAY[v_key] END);
      END IF;
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_4_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (4);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_4_visible(v record) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 1000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ BEGIN RETURN EXISTS (SELECT FROM public.composite s WHERE s.site = v.site AND s.id = v.id); END $$;

CREATE FUNCTION rowvec_internal.source_5_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    AS $$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[ROW(NEW.id, NEW.at)::text];
          WHEN 'DELETE' THEN v_keys := ARRAY[ROW(OLD.id, OLD.at)::text];
          ELSE v_keys := CASE WHEN OLD.id IS DISTINCT FROM NEW.id OR OLD.at IS DISTINCT FROM NEW.at THEN ARRAY[ROW(NEW.id, NEW.at)::text, ROW(OLD.id, OLD.at)::text] ELSE ARRAY[ROW(NEW.id, NEW.at)::text] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (5, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT
        FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_5_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (5);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_5_visible(v record) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 1000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ BEGIN RETURN EXISTS (SELECT FROM public.parts s WHERE s.id = v.id AND s.at = v.at); END $$;

CREATE FUNCTION rowvec_internal.source_6_flush() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := nullif(current_setting('rowvec.changed_6', true), '');
      v_keys text[];
    BEGIN
      IF v_text IS DISTINCT FROM ';' THEN
        BEGIN
          v_keys := nullif(string_to_array(ltrim(v_text, ';,'), ',')::pg_catalog.int4[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (6, v_keys);
      END IF;
      v_text := set_config('rowvec.changed_6', '', true);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_6_gather(p_new text, p_old text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_text text := current_setting('rowvec.changed_6', true);
      v_new  text := coalesce(p_new, '');
      v_keys text[];
    BEGIN
      IF p_old IS DISTINCT FROM p_new THEN
        v_new := v_new || ',' || coalesce(p_old, '');
      END IF;
      IF v_text <> '' THEN
        v_text := set_config('rowvec.changed_6', v_text || ',' || v_new, true);
        IF octet_length(v_text) > 1000 THEN
        BEGIN
          v_keys := nullif(string_to_array(ltrim(v_text, ';,'), ',')::pg_catalog.int4[]::text[], '{}');
        EXCEPTION WHEN OTHERS THEN
          v_keys := NULL;
        END;
        INSERT INTO rowvec_internal.change (source_id, keys) VALUES (6, v_keys);
          v_text := set_config('rowvec.changed_6', ';', true);
        END IF;
        RETURN false;
      END IF;
      v_text := set_config('rowvec.changed_6', v_new, true);
      RETURN true;
    END $$;

CREATE FUNCTION rowvec_internal.source_6_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_keys text[];
    BEGIN
      BEGIN
        CASE TG_OP
          WHEN 'INSERT' THEN v_keys := ARRAY[NEW.id::text];
          WHEN 'DELETE' THEN v_keys := ARRAY[OLD.id::text];
          ELSE v_keys := CASE WHEN OLD.id IS DISTINCT FROM NEW.id THEN ARRAY[NEW.id::text, OLD.id::text] ELSE ARRAY[NEW.id::text] END;
        END CASE;
      EXCEPTION WHEN OTHERS THEN
        v_keys := NULL;
      END;
      INSERT INTO rowvec_internal.change (source_id, keys) VALUES (6, v_keys);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 AND current_setting('rowvec.rung', true) IS DISTINCT
        FROM '1' THEN
        PERFORM set_config('rowvec.rung', '1', true), rowvec_internal.ring();
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_6_statement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    DECLARE
      v_key  text;
      v_more boolean;
      v_rows bigint;
    BEGIN
      INSERT INTO rowvec_internal.change (source_id, keys)
      SELECT 6, ARRAY[r."key of source 6"::text] FROM changed r("key of source 6") WHERE NOT EXISTS (SELECT FROM changed OFFSET 1);
      GET DIAGNOSTICS v_rows = ROW_COUNT;
      IF v_rows = 0 OR pg_sequence_last_value('rowvec_internal.armed') = 2 THEN
        IF v_rows = 0 AND EXISTS (SELECT FROM changed) THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 6, k[g:g + 511]::text[]
        FROM (SELECT array_agg(k) AS k FROM (SELECT r."key of source 6" AS k FROM changed r("key of source 6") LIMIT 524288) r) a,
             generate_series(1, cardinality(k), 512) g;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows = 1024 THEN
        INSERT INTO rowvec_internal.change (source_id, keys)
        SELECT 6, array_agg(k)
        FROM (SELECT r."key of source 6"::text AS k, (row_number() OVER () - 1) / 512 AS block FROM changed r("key of source 6") OFFSET 524288) s GROUP BY block;
        END IF;
        END IF;
        IF v_rows > 0 THEN PERFORM rowvec_internal.ring(); END IF;
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_6_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    BEGIN
      INSERT INTO rowvec_internal.change (source_id) VALUES (6);
      IF pg_sequence_last_value('rowvec_internal.armed') = 2 THEN PERFORM rowvec_internal.ring(); END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION rowvec_internal.source_6_visible(v record) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 1000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ BEGIN RETURN EXISTS (SELECT FROM public.plain s WHERE s.id = v.id); END $$;

CREATE FUNCTION rowvec_internal.source_id(p_name text) RETURNS smallint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_id smallint;
BEGIN
  SELECT id INTO v_id FROM rowvec_internal.source WHERE name = p_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no source "%"', p_name USING ERRCODE = 'undefined_object',
      HINT = coalesce('Sources: ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM rowvec_internal.source) ||
        '.', 'Begin with SELECT rowvec.watch(''table'', ''column'').');
  END IF;
  RETURN v_id;
END $$;

CREATE FUNCTION rowvec_internal.source_of(p_row_type oid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_relation oid;
  v_name     text;
  v_sources  bigint;
BEGIN
  SELECT t.typrelid INTO v_relation FROM pg_type t WHERE t.oid = p_row_type;
  SELECT min(s.name), count(*) INTO v_name, v_sources FROM rowvec_internal.source s WHERE s.source_table = v_relation;
  IF v_sources <> 1 THEN
    RAISE EXCEPTION '% %', CASE v_sources WHEN 0 THEN 'no source watches' ELSE 'more than one source watches' END,
      format_type(p_row_type, NULL)
      USING ERRCODE = 'undefined_object',
        HINT = 'Name the source: source => ''…''; SELECT name FROM rowvec.status lists them.';
  END IF;
  RETURN v_name;
END $$;

CREATE FUNCTION rowvec_internal.sweep_queries(p_cached bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  DELETE FROM rowvec_internal.query WHERE asked_at < clock_timestamp() - interval '1 min';
  DELETE FROM rowvec_internal.query_cache WHERE number <= (SELECT max(number)
    FROM rowvec_internal.query_cache) - p_cached;
$$;

CREATE FUNCTION rowvec_internal.table_name(p_table regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT coalesce((SELECT CASE WHEN n.nspname = 'public' OR n.nspname LIKE 'pg\_temp\_%' THEN ''
    ELSE quote_ident(n.nspname) || '.' END || quote_ident(c.relname)
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = p_table), p_table::text)
$$;

CREATE FUNCTION rowvec_internal.table_of(p_source smallint) RETURNS oid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT source_table::oid FROM rowvec_internal.source WHERE id = p_source
$$;

CREATE FUNCTION rowvec_internal.take_answer(p_id uuid, OUT answer text, OUT error text) RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '20ms'
    AS $$
#variable_conflict use_column
BEGIN
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(rowvec_internal.query_lock(p_id));
  EXCEPTION WHEN lock_not_available THEN
    RETURN;
  END;
  RETURN QUERY DELETE FROM rowvec_internal.query q WHERE q.id = p_id AND (q.answer IS NOT NULL
    OR q.chunks IS NOT NULL OR q.error IS NOT NULL)
    RETURNING coalesce(q.chunks, q.answer::text), q.error;
END $$;

CREATE FUNCTION rowvec_internal.template_parts(p_template text) RETURNS TABLE(i bigint, kind text, word text)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT i, CASE WHEN m[1] IN ('{{', '}}') THEN 'literal' WHEN m[1] ~ '^\{.+\}$' THEN 'column'
    WHEN m[1] IN ('{', '}') THEN 'brace' ELSE 'literal' END,
         CASE WHEN m[1] IN ('{{', '}}') THEN left(m[1], 1) WHEN m[1] ~ '^\{.+\}$'
           THEN substr(m[1], 2, length(m[1]) - 2) ELSE m[1] END
  FROM regexp_matches(p_template, '(\{\{|\}\}|\{[^{}]+\}|[{}]|[^{}]+)', 'g') WITH ORDINALITY r(m, i)
$_$;

CREATE FUNCTION rowvec_internal.text_document(p_record text, p_columns name[], p_language regconfig) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT format('to_tsvector(%L::regconfig, %s)', p_language, string_agg(format('coalesce(%s%I::text, '''')',
    coalesce(p_record || '.', ''), c), ' || '' '' || '))
  FROM unnest(p_columns) c
$$;

CREATE FUNCTION rowvec_internal.text_hits(f record, p_query text, p_filter text, p_language regconfig, p_document text, p_k integer, p_n integer) RETURNS TABLE(key text, rank bigint)
    LANGUAGE plpgsql STABLE
    AS $_$
#variable_conflict use_column
DECLARE
  v_all tsquery := pg_catalog.websearch_to_tsquery(p_language, p_query);
  v_any tsquery := CASE WHEN v_all::text ~ '!' THEN v_all ELSE pg_catalog.replace(v_all::text, ' & ',
    ' | ')::tsquery END;
  v_sql text := pg_catalog.format(E'SELECT x.key, pg_catalog.row_number() OVER (ORDER BY x.score DESC, x.key)'
    ' FROM (SELECT %1$s AS key, pg_catalog.ts_rank(%2$s, $1, 1) AS score'
    ' FROM %3$s AS %4$s WHERE %2$s @@ $1 AND (%5$s\n) ORDER BY score DESC LIMIT $2) x',
      rowvec_internal.key_text(f.alias, f.keys),
    coalesce('(' || p_document || ')', rowvec_internal.text_document(f.alias, f.texts, p_language)), f.relation,
      f.alias, coalesce(p_filter, 'true'));
  v_found bigint;
BEGIN
  IF v_any <> v_all THEN
    EXECUTE pg_catalog.format('SELECT count(*) FROM (%s LIMIT $3) x', v_sql) INTO v_found USING v_all, p_n, p_k;
    IF v_found < p_k THEN
      v_all := v_any;
    END IF;
  END IF;
  RETURN QUERY EXECUTE v_sql USING v_all, p_n;
END $_$;

CREATE FUNCTION rowvec_internal.text_part(p_value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  SELECT CASE WHEN pg_catalog.left(p_value, 100) OPERATOR(pg_catalog.~) '\S' OR p_value OPERATOR(pg_catalog.~) '\S'
              THEN pg_catalog.left(p_value, 1000000) END
$$;

CREATE FUNCTION rowvec_internal.text_sql(p_record text, p_table oid, p_columns name[], p_template text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_literals text[] := ARRAY[''];
  v_parts    text[] := '{}';
  v_part     record;
  v_closing  text;
BEGIN
  IF p_template IS NULL THEN
    v_literals := '{""}'::text[] || array_fill(E'\n\n'::text, ARRAY[cardinality(p_columns) - 1]) || ''::text;
    SELECT array_agg(rowvec_internal.part_sql(p_record, p_table, c) ORDER BY i) INTO v_parts
      FROM unnest(p_columns) WITH ORDINALITY u(c, i);
  ELSE
    FOR v_part IN SELECT * FROM rowvec_internal.template_parts(p_template) p ORDER BY p.i LOOP
      IF v_part.kind = 'column' THEN
        v_parts := v_parts || rowvec_internal.part_sql(p_record, p_table, v_part.word::name);
        v_literals := v_literals || ''::text;
      ELSE
        v_literals[cardinality(v_literals)] := v_literals[cardinality(v_literals)] || v_part.word;
      END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(v_parts) LOOP
      v_closing := substring(v_literals[i + 1] FROM '^[])}>"»”’'']+');
      IF v_closing IS NOT NULL THEN
        v_parts[i] := format('%s || %L', v_parts[i], v_closing);
        v_literals[i + 1] := substr(v_literals[i + 1], length(v_closing) + 1);
      END IF;
    END LOOP;
  END IF;
  IF v_literals = ARRAY['', ''] THEN
    RETURN v_parts[1];
  END IF;
  RETURN format('rowvec_internal.join_text(%L::text[], ARRAY[%s])', v_literals, array_to_string(v_parts, ', '));
END $$;

CREATE FUNCTION rowvec_internal.trigger_statements(p_source smallint, p_table regclass) RETURNS TABLE(name text, statement text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
END $_$;

CREATE FUNCTION rowvec_internal.try_loopback() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_dblink text := rowvec_internal.extension_schema('dblink');
  v_same   boolean;
  v_open   boolean;
BEGIN
  EXECUTE format('SELECT coalesce(''rowvec_loopback'' = ANY (%s.dblink_get_connections()), false)', v_dblink)
    INTO v_open;
  IF v_open THEN
    EXECUTE format('SELECT %s.dblink_disconnect(''rowvec_loopback'')', v_dblink);
  END IF;
  EXECUTE format('SELECT %s.dblink_connect(''rowvec_loopback'', ''rowvec_loopback'')', v_dblink);
  EXECUTE format('SELECT * FROM %s.dblink(''rowvec_loopback'', %L) AS r(same boolean)', v_dblink,
    format('SELECT rowvec_internal.same_database(%s, %s)', (SELECT oid FROM pg_database
      WHERE datname = current_database()), extract(epoch FROM pg_postmaster_start_time()))) INTO v_same;
  EXECUTE format('SELECT %s.dblink_disconnect(''rowvec_loopback'')', v_dblink);
  RETURN v_same;
END $$;

CREATE FUNCTION rowvec_internal.ungrant_vectors(p_vectors regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_policy name;
BEGIN
  FOR v_policy IN SELECT polname FROM pg_policy WHERE polrelid = p_vectors
    AND polname ~ '^rowvec_(read|write)_\d+$' LOOP
    EXECUTE format('DROP POLICY %I ON %s', v_policy, p_vectors);
  END LOOP;
END $_$;

CREATE FUNCTION rowvec_internal.wait_facts(p_source smallint, OUT token bigint, OUT state text, OUT problem text, OUT pending bigint, OUT dead bigint, OUT daemons bigint) RETURNS record
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT (SELECT last_value FROM rowvec_internal.change_seq), s.state, s.problem,
         (SELECT coalesce(sum(coalesce(cardinality(keys), 1)), 0) FROM rowvec_internal.change
           WHERE source_id = p_source)::bigint,
         (SELECT count(*) FROM rowvec_internal.dead WHERE source_id = p_source),
         (SELECT count(*) FROM rowvec_internal.daemon WHERE heartbeat_at > now() - interval '30 s'
           AND s.model_id = ANY (models))
  FROM rowvec_internal.source s WHERE s.id = p_source
$$;

CREATE FUNCTION rowvec_internal.waiting(p_source smallint, p_token bigint) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT EXISTS (SELECT FROM rowvec_internal.change WHERE source_id = p_source AND lane = 0 AND seq <= p_token)
      OR EXISTS (SELECT FROM rowvec_internal.backfill WHERE source_id = p_source AND phase <> 'done')
      OR EXISTS (SELECT FROM rowvec_internal.change WHERE source_id = p_source AND lane = 1)
$$;

CREATE TABLE public.chunky (
    id integer NOT NULL,
    body text
);

CREATE TABLE public.composite (
    site text NOT NULL,
    id integer NOT NULL,
    body text
);

CREATE TABLE public.in_row (
    id integer NOT NULL,
    body text,
    embedding public.vector(8)
);

CREATE TABLE public.parts (
    id integer NOT NULL,
    at date NOT NULL,
    body text
)
PARTITION BY RANGE (at);

CREATE TABLE public.parts_rest (
    id integer CONSTRAINT parts_id_not_null NOT NULL,
    at date CONSTRAINT parts_at_not_null NOT NULL,
    body text
);

CREATE TABLE public.plain (
    id integer NOT NULL,
    title text,
    body text
);

CREATE TABLE rowvec.chunky_vectors (
    id integer NOT NULL,
    chunk integer DEFAULT 0 NOT NULL,
    embedding public.vector(8),
    _hash bytea,
    _truncated boolean DEFAULT false NOT NULL,
    _version integer DEFAULT 1 NOT NULL,
    _at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    chunk_start integer,
    chunk_end integer,
    chunk_text text,
    _chunk_hash bytea
)
WITH (fillfactor='80');
ALTER TABLE ONLY rowvec.chunky_vectors ALTER COLUMN embedding SET STORAGE PLAIN;

COMMENT ON TABLE rowvec.chunky_vectors IS 'Vectors of a source of rowvec, one row a chunk; join by the key columns. Only the daemon writes here.';

CREATE TABLE rowvec.composite_vectors (
    site text NOT NULL,
    id integer NOT NULL,
    chunk integer DEFAULT 0 NOT NULL,
    embedding public.vector(8),
    _hash bytea,
    _truncated boolean DEFAULT false NOT NULL,
    _version integer DEFAULT 1 NOT NULL,
    _at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='80');
ALTER TABLE ONLY rowvec.composite_vectors ALTER COLUMN embedding SET STORAGE PLAIN;

COMMENT ON TABLE rowvec.composite_vectors IS 'Vectors of a source of rowvec, one row a chunk; join by the key columns. Only the daemon writes here.';

CREATE SEQUENCE rowvec_internal.change_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE rowvec_internal.change (
    source_id smallint NOT NULL,
    lane smallint DEFAULT 0 NOT NULL,
    seq bigint DEFAULT nextval('rowvec_internal.change_seq'::regclass) NOT NULL,
    part smallint DEFAULT 0 NOT NULL,
    keys text[],
    attempts smallint DEFAULT 0 NOT NULL,
    daemon_id bigint,
    visible_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    claimed_at timestamp with time zone,
    enqueued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_error text
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_insert_scale_factor='0.05', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0.05');

CREATE TABLE rowvec_internal.dead (
    source_id smallint NOT NULL,
    key text NOT NULL,
    attempts smallint NOT NULL,
    error text NOT NULL,
    text_length integer,
    text_hash bytea,
    enqueued_at timestamp with time zone NOT NULL,
    died_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE VIEW rowvec.errors AS
 SELECT s.name,
    d.key,
    'dead'::text AS state,
    d.attempts,
    d.error,
    d.text_length,
    encode(d.text_hash, 'hex'::text) AS text_hash,
    d.died_at AS at,
    NULL::timestamp with time zone AS next_try_at
   FROM (rowvec_internal.dead d
     JOIN rowvec_internal.source s ON ((s.id = d.source_id)))
UNION ALL
 SELECT s.name,
    k.key,
    'retrying'::text AS state,
    c.attempts,
    c.last_error AS error,
    NULL::integer AS text_length,
    NULL::text AS text_hash,
    c.claimed_at AS at,
    c.visible_at AS next_try_at
   FROM ((rowvec_internal.change c
     JOIN rowvec_internal.source s ON ((s.id = c.source_id)))
     CROSS JOIN LATERAL unnest(c.keys) k(key))
  WHERE (c.last_error IS NOT NULL);

COMMENT ON VIEW rowvec.errors IS 'One row a key that failed: dead letters, and what is tried again. Never the text itself.';

COMMENT ON COLUMN rowvec.errors.name IS 'The source.';

COMMENT ON COLUMN rowvec.errors.key IS 'The row''s key as text.';

COMMENT ON COLUMN rowvec.errors.state IS 'dead: waits for rowvec.retry; retrying: tried again at next_try_at.';

COMMENT ON COLUMN rowvec.errors.attempts IS 'How often it was tried.';

COMMENT ON COLUMN rowvec.errors.error IS 'The last error.';

COMMENT ON COLUMN rowvec.errors.text_length IS 'Length of the text, in characters; NULL: not known.';

COMMENT ON COLUMN rowvec.errors.text_hash IS 'Hash of the text, hexadecimal; NULL: not known.';

COMMENT ON COLUMN rowvec.errors.at IS 'When it failed last.';

COMMENT ON COLUMN rowvec.errors.next_try_at IS 'When it is tried again; NULL: not by itself.';

CREATE TABLE rowvec.in_row_vectors (
    id integer NOT NULL,
    chunk integer DEFAULT 0 NOT NULL,
    _sum bytea,
    _hash bytea,
    _truncated boolean DEFAULT false NOT NULL,
    _version integer DEFAULT 1 NOT NULL,
    _at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='80');

COMMENT ON TABLE rowvec.in_row_vectors IS 'Hashes of the texts and vectors of a source of rowvec; the vectors are in its table. Only the daemon writes here.';

CREATE TABLE rowvec.parts_vectors (
    id integer NOT NULL,
    at date NOT NULL,
    chunk integer DEFAULT 0 NOT NULL,
    embedding public.vector(8),
    _hash bytea,
    _truncated boolean DEFAULT false NOT NULL,
    _version integer DEFAULT 1 NOT NULL,
    _at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='80');
ALTER TABLE ONLY rowvec.parts_vectors ALTER COLUMN embedding SET STORAGE PLAIN;

COMMENT ON TABLE rowvec.parts_vectors IS 'Vectors of a source of rowvec, one row a chunk; join by the key columns. Only the daemon writes here.';

CREATE TABLE rowvec.paused_vectors (
    id integer NOT NULL,
    chunk integer DEFAULT 0 NOT NULL,
    embedding public.vector(8),
    _hash bytea,
    _truncated boolean DEFAULT false NOT NULL,
    _version integer DEFAULT 1 NOT NULL,
    _at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='80');
ALTER TABLE ONLY rowvec.paused_vectors ALTER COLUMN embedding SET STORAGE PLAIN;

COMMENT ON TABLE rowvec.paused_vectors IS 'Vectors of a source of rowvec, one row a chunk; join by the key columns. Only the daemon writes here.';

CREATE TABLE rowvec.plain_vectors (
    id integer NOT NULL,
    chunk integer DEFAULT 0 NOT NULL,
    embedding public.vector(8),
    _hash bytea,
    _truncated boolean DEFAULT false NOT NULL,
    _version integer DEFAULT 1 NOT NULL,
    _at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='80');
ALTER TABLE ONLY rowvec.plain_vectors ALTER COLUMN embedding SET STORAGE PLAIN;

COMMENT ON TABLE rowvec.plain_vectors IS 'Vectors of a source of rowvec, one row a chunk; join by the key columns. Only the daemon writes here.';

CREATE TABLE rowvec_internal.backfill (
    source_id smallint NOT NULL,
    phase text NOT NULL,
    recheck boolean DEFAULT false NOT NULL,
    cursor_key text,
    enqueued bigint DEFAULT 0 NOT NULL,
    estimate bigint DEFAULT 0 NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    done_at timestamp with time zone,
    CONSTRAINT backfill_phase_check CHECK ((phase = ANY (ARRAY['rows'::text, 'vectors'::text, 'done'::text])))
);

CREATE TABLE rowvec_internal.daemon (
    id bigint NOT NULL,
    name text NOT NULL,
    pid integer NOT NULL,
    armed boolean DEFAULT false NOT NULL,
    models smallint[] DEFAULT '{}'::smallint[] NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE rowvec_internal.tally (
    source_id smallint NOT NULL,
    truncated bigint DEFAULT 0 NOT NULL
);

CREATE VIEW rowvec.status AS
 SELECT s.name,
    (s.source_table)::text AS table_name,
    m.name AS model,
    s.state,
    COALESCE(c.pending, (0)::bigint) AS pending,
    COALESCE(c.leased, (0)::bigint) AS leased,
    COALESCE(c.retrying, (0)::bigint) AS retrying,
    ( SELECT count(*) AS count
           FROM rowvec_internal.dead d
          WHERE (d.source_id = s.id)) AS dead,
    COALESCE(GREATEST((clock_timestamp() - c.oldest), '00:00:00'::interval), '00:00:00'::interval) AS lag,
        CASE
            WHEN (b.phase = 'done'::text) THEN 'done'::text
            ELSE b.phase
        END AS backfill,
    b.enqueued AS backfill_enqueued,
    GREATEST(b.estimate, b.enqueued) AS backfill_estimate,
    (s.vector_table)::text AS vector_table,
    ( SELECT count(*) AS count
           FROM rowvec_internal.daemon w
          WHERE ((w.heartbeat_at > (now() - '00:00:30'::interval)) AND (s.model_id = ANY (w.models)))) AS daemons,
    COALESCE(s.problem, c.trouble) AS problem,
        CASE
            WHEN (EXISTS ( SELECT
               FROM pg_stat_progress_create_index p
              WHERE (p.relid = t.oid))) THEN 'building'::text
            WHEN i.valid THEN 'there'::text
            WHEN (NOT i.valid) THEN 'invalid'::text
            ELSE COALESCE(s.index_kind, 'none'::text)
        END AS index,
    COALESCE(y.truncated, (0)::bigint) AS truncated
   FROM ((((((rowvec_internal.source s
     JOIN rowvec_internal.model m ON ((m.id = s.model_id)))
     LEFT JOIN rowvec_internal.backfill b ON ((b.source_id = s.id)))
     LEFT JOIN rowvec_internal.tally y ON ((y.source_id = s.id)))
     LEFT JOIN LATERAL ( SELECT sum(COALESCE(cardinality(change.keys), 1)) AS pending,
            min(change.enqueued_at) FILTER (WHERE (change.lane = 0)) AS oldest,
            sum(cardinality(change.keys)) FILTER (WHERE ((change.daemon_id IS NOT NULL) AND (change.visible_at > now()))) AS leased,
            sum(cardinality(change.keys)) FILTER (WHERE (change.last_error IS NOT NULL)) AS retrying,
            max(change.last_error) FILTER (WHERE (change.attempts = ((change.daemon_id IS NOT NULL))::integer)) AS trouble
           FROM rowvec_internal.change
          WHERE (change.source_id = s.id)) c ON (true))
     LEFT JOIN pg_class t ON ((t.oid = (
        CASE
            WHEN (s.into_column IS NULL) THEN s.vector_table
            ELSE s.source_table
        END)::oid)))
     LEFT JOIN LATERAL ( SELECT bool_or(x.indisvalid) AS valid
           FROM ((((pg_index x
             JOIN pg_class r ON ((r.oid = x.indexrelid)))
             JOIN pg_am a ON ((a.oid = r.relam)))
             JOIN pg_depend d ON (((d.classid = ('pg_class'::regclass)::oid) AND (d.objid = r.oid) AND (d.refobjid = t.oid))))
             JOIN pg_attribute f ON (((f.attrelid = t.oid) AND (f.attnum = d.refobjsubid) AND (f.attname = COALESCE(s.into_column, 'embedding'::name)))))
          WHERE ((x.indrelid = t.oid) AND (a.amname = 'hnsw'::name))) i ON (true))
  ORDER BY s.name;

COMMENT ON VIEW rowvec.status IS 'One row a source: what waits, what failed, what is wrong.';

COMMENT ON COLUMN rowvec.status.name IS 'The source.';

COMMENT ON COLUMN rowvec.status.table_name IS 'The table that it watches.';

COMMENT ON COLUMN rowvec.status.model IS 'The model that its vectors are of.';

COMMENT ON COLUMN rowvec.status.state IS 'active, paused, or broken: see problem.';

COMMENT ON COLUMN rowvec.status.pending IS 'Keys in the change log; a recheck of the whole source counts as one.';

COMMENT ON COLUMN rowvec.status.leased IS 'Keys of them that a daemon works on now.';

COMMENT ON COLUMN rowvec.status.retrying IS 'Keys of them that failed and are tried again.';

COMMENT ON COLUMN rowvec.status.dead IS 'Dead letters: keys that failed for the last time; see rowvec.errors and rowvec.retry.';

COMMENT ON COLUMN rowvec.status.lag IS 'Age of the oldest live change that is not embedded yet: the number to alert on.';

COMMENT ON COLUMN rowvec.status.backfill IS 'rows or vectors while a pass over the source goes on, then done.';

COMMENT ON COLUMN rowvec.status.backfill_enqueued IS 'Keys that this pass has logged so far.';

COMMENT ON COLUMN rowvec.status.backfill_estimate IS 'Rows of the table, as the planner knew them at its beginning.';

COMMENT ON COLUMN rowvec.status.vector_table IS 'The table with the vectors; with into_column, the one with their hashes.';

COMMENT ON COLUMN rowvec.status.daemons IS 'Daemons that serve its model and had a heartbeat within 30 s.';

COMMENT ON COLUMN rowvec.status.problem IS 'What is wrong, and what to do; NULL: nothing.';

COMMENT ON COLUMN rowvec.status.index IS 'HNSW index: none, auto (a daemon is to build it), building, there, or invalid.';

COMMENT ON COLUMN rowvec.status.truncated IS 'Texts beyond the model''s limit, embedded by their beginning.';

CREATE TABLE rowvec_internal.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE SEQUENCE rowvec_internal.armed
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    MAXVALUE 2
    CACHE 1;

ALTER TABLE rowvec_internal.daemon ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME rowvec_internal.daemon_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE rowvec_internal.model ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowvec_internal.model_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rowvec_internal.prepared_search (
    source_id smallint NOT NULL,
    statement text NOT NULL,
    relation text NOT NULL,
    vectors text NOT NULL,
    index text NOT NULL
);

CREATE TABLE rowvec_internal.protocol (
    only_row boolean DEFAULT true NOT NULL,
    number integer NOT NULL,
    CONSTRAINT protocol_only_row_check CHECK (only_row)
);

CREATE UNLOGGED TABLE rowvec_internal.query (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    model_id smallint NOT NULL,
    prompt text NOT NULL,
    query text NOT NULL,
    source_id smallint,
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    claimed_at timestamp with time zone,
    answer public.vector,
    chunks text,
    error text
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='500');

CREATE UNLOGGED TABLE rowvec_internal.query_cache (
    key bytea NOT NULL,
    number bigint NOT NULL,
    model_id smallint NOT NULL,
    vector public.vector NOT NULL
);

ALTER TABLE rowvec_internal.query_cache ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowvec_internal.query_cache_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE UNLOGGED SEQUENCE rowvec_internal.query_hits
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE rowvec_internal.source ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowvec_internal.source_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.parts ATTACH PARTITION public.parts_rest DEFAULT;

--
-- Data for Name: chunky; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.chunky (id, body) FROM stdin;
1	word1 word1 word1 word1 word1 word1 word1 
4	word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 word4 
2	changed before the dump
\.

--
-- Data for Name: composite; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.composite (site, id, body) FROM stdin;
a	1	a1
b,"c	1	b,"c1
a	2	changed before the dump
b,"c	2	changed before the dump
\.

--
-- Data for Name: in_row; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.in_row (id, body, embedding) FROM stdin;
1	in the row 1	[79,233,76,156,101,176,90,199]
4	in the row 4	[234,58,249,26,234,68,131,27]
5	in the row 5	[46,126,45,43,214,214,126,99]
2	changed before the dump	[151,251,82,99,158,2,101,252]
\.

--
-- Data for Name: parts_rest; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.parts_rest (id, at, body) FROM stdin;
1	2026-01-02	part 1
4	2026-01-05	part 4
5	2026-01-06	part 5
2	2026-01-03	changed before the dump
\.

--
-- Data for Name: plain; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.plain (id, title, body) FROM stdin;
1	Title 1	body 1
4	Title 4	body 4
5	Title 5	body 5
2	Title 2	changed before the dump
\.

--
-- Data for Name: chunky_vectors; Type: TABLE DATA; Schema: rowvec; Owner: -
--

COPY rowvec.chunky_vectors (id, chunk, embedding, _hash, _truncated, _version, _at, chunk_start, chunk_end, chunk_text, _chunk_hash) FROM stdin;
1	0	[218,228,62,139,220,35,38,132]	\\x0261f79e175565452aabd9af5f598567	f	1	2026-11-24 20:55:15.413203+00	0	42	word1 word1 word1 word1 word1 word1 word1 	\\x6518611cc36df24312804545eb8a3c9c
2	0	[74,189,83,117,26,161,157,180]	\\x05b9fe2818269ba6cdccdc438a2a16db	f	1	2026-11-24 20:55:15.4134+00	0	47	word2 word2 word2 word2 word2 word2 word2 word2	\\x28a3a97f465a21b603faf3ca31cd70c8
3	0	[191,127,134,100,160,127,49,111]	\\x8744eece4e2dcbb52e23468d39e8dc18	f	1	2026-11-24 20:55:15.413428+00	0	47	word3 word3 word3 word3 word3 word3 word3 word3	\\x577b7c3a51d9fa413e3457657d01bc44
4	0	[43,72,220,194,250,73,4,142]	\\xd5b1a92d1248d04ed5bfb5fcc1d252c0	f	1	2026-11-24 20:55:15.41345+00	0	47	word4 word4 word4 word4 word4 word4 word4 word4	\\xc5cca067545022e816a82dbae7c6b84b
2	1	[74,189,83,117,26,161,157,180]	\N	f	1	2026-11-24 20:55:15.4136+00	36	83	word2 word2 word2 word2 word2 word2 word2 word2	\\x28a3a97f465a21b603faf3ca31cd70c8
3	1	[191,127,134,100,160,127,49,111]	\N	f	1	2026-11-24 20:55:15.413629+00	36	83	word3 word3 word3 word3 word3 word3 word3 word3	\\x577b7c3a51d9fa413e3457657d01bc44
3	2	[191,127,134,100,160,127,49,111]	\N	f	1	2026-11-24 20:55:15.413634+00	72	119	word3 word3 word3 word3 word3 word3 word3 word3	\\x577b7c3a51d9fa413e3457657d01bc44
3	3	[232,201,168,172,202,56,65,7]	\N	f	1	2026-11-24 20:55:15.413637+00	108	125	word3 word3 word3	\\x689878c40ce55fadbe00b94dc75f4a00
4	1	[43,72,220,194,250,73,4,142]	\N	f	1	2026-11-24 20:55:15.413643+00	36	83	word4 word4 word4 word4 word4 word4 word4 word4	\\xc5cca067545022e816a82dbae7c6b84b
4	2	[43,72,220,194,250,73,4,142]	\N	f	1	2026-11-24 20:55:15.413647+00	72	119	word4 word4 word4 word4 word4 word4 word4 word4	\\xc5cca067545022e816a82dbae7c6b84b
4	3	[43,72,220,194,250,73,4,142]	\N	f	1	2026-11-24 20:55:15.41365+00	108	155	word4 word4 word4 word4 word4 word4 word4 word4	\\xc5cca067545022e816a82dbae7c6b84b
4	4	[235,26,217,122,63,139,238,186]	\N	f	1	2026-11-24 20:55:15.413679+00	144	167	word4 word4 word4 word4	\\xc8848c02785eb1483713b51cbc0d4c05
\.

--
-- Data for Name: composite_vectors; Type: TABLE DATA; Schema: rowvec; Owner: -
--

COPY rowvec.composite_vectors (site, id, chunk, embedding, _hash, _truncated, _version, _at) FROM stdin;
a	1	0	[49,242,157,206,229,256,66,180]	\\x59bd1caf33380d3f087a6a24f3349efe	f	1	2026-11-24 20:55:15.469108+00
a	2	0	[15,13,180,66,254,204,48,138]	\\xd2dfb72f36d4194584b39b6383b348fd	f	1	2026-11-24 20:55:15.469297+00
a	3	0	[15,185,96,236,195,96,123,150]	\\xc3fff0c1ed3a0404f7b9ccef40324e2f	f	1	2026-11-24 20:55:15.469313+00
b,"c	1	0	[46,72,110,28,119,64,204,1]	\\xf1f7527c294e6effbeb69d0505e27f59	f	1	2026-11-24 20:55:15.469321+00
b,"c	2	0	[17,25,72,68,47,168,73,63]	\\xc2f47cf133f8d90a19f28e1f6687eb24	f	1	2026-11-24 20:55:15.469329+00
b,"c	3	0	[141,2,234,59,149,253,135,31]	\\x79ce137d4e2ef5d1bb1a25f3a2b9c78d	f	1	2026-11-24 20:55:15.469336+00
\.

--
-- Data for Name: in_row_vectors; Type: TABLE DATA; Schema: rowvec; Owner: -
--

COPY rowvec.in_row_vectors (id, chunk, _sum, _hash, _truncated, _version, _at) FROM stdin;
1	0	\\x767971d00e63f8dd61eade30e58a21df	\\x5bb6bd8d73c8bb9c7a15e1b7ad2d8f0a	f	1	2026-11-24 20:55:15.441499+00
2	0	\\x978bda53aaf25103ddfc462bf3c2aa97	\\xcf18f83278dd2748c70ed18d2be16010	f	1	2026-11-24 20:55:15.441646+00
3	0	\\xf0c0cc08d74ffe9c63d75c0cb3c702c2	\\xde03bbed987b7b151017a34145b25083	f	1	2026-11-24 20:55:15.441681+00
4	0	\\x72ced7742c53a15f6460425e5bf39752	\\xf9cfe30e3aee3851122e531d2514da06	f	1	2026-11-24 20:55:15.441686+00
5	0	\\xb5f2f5aae9fb76ce360f551b31e93c65	\\xe8e65b389f6ff5f70607a47f2d3aae6c	f	1	2026-11-24 20:55:15.44169+00
\.

--
-- Data for Name: parts_vectors; Type: TABLE DATA; Schema: rowvec; Owner: -
--

COPY rowvec.parts_vectors (id, at, chunk, embedding, _hash, _truncated, _version, _at) FROM stdin;
1	2026-01-02	0	[16,56,76,50,251,188,83,216]	\\x9230a52e645b7c56a97c9f26024e6feb	f	1	2026-11-24 20:55:15.477845+00
2	2026-01-03	0	[152,103,176,186,168,31,74,117]	\\x65a5a940a2da7a195764ea749da97151	f	1	2026-11-24 20:55:15.482672+00
3	2026-01-04	0	[69,197,87,27,52,140,24,105]	\\x370791c7f4a9771f4fbeab065ae1b110	f	1	2026-11-24 20:55:15.482693+00
4	2026-01-05	0	[207,135,20,226,19,119,68,228]	\\x4c84217f33addd7aae97fa92c541dee1	f	1	2026-11-24 20:55:15.4827+00
5	2026-01-06	0	[187,216,103,107,104,180,197,184]	\\xc29959cab757228aefad069cbd8e3be7	f	1	2026-11-24 20:55:15.482705+00
\.

--
-- Data for Name: paused_vectors; Type: TABLE DATA; Schema: rowvec; Owner: -
--

COPY rowvec.paused_vectors (id, chunk, embedding, _hash, _truncated, _version, _at) FROM stdin;
1	0	[243,127,35,80,31,177,196,186]	\\xe227cf72e59af5444586b8799dea957f	f	1	2026-11-24 20:55:15.491002+00
2	0	[249,151,218,189,236,198,20,95]	\\x7b667257a54f82893e558ff6ac0fc5e2	f	1	2026-11-24 20:55:15.491173+00
3	0	[240,212,223,47,137,118,40,155]	\\xea5a98e156378c5ec610d231e9fb6805	f	1	2026-11-24 20:55:15.491188+00
4	0	[234,93,218,180,251,217,110,115]	\\xbe27414d32e7438b9c632e4e2b172b66	f	1	2026-11-24 20:55:15.491196+00
5	0	[11,170,238,32,18,179,46,23]	\\x58c62be88848fb157c94487935388314	f	1	2026-11-24 20:55:15.491203+00
\.

--
-- Data for Name: plain_vectors; Type: TABLE DATA; Schema: rowvec; Owner: -
--

COPY rowvec.plain_vectors (id, chunk, embedding, _hash, _truncated, _version, _at) FROM stdin;
1	0	[70,190,84,215,216,20,190,60]	\\x9ffe1d29cc7d2193a6c697e29657cb14	f	1	2026-11-24 20:55:15.361141+00
2	0	[234,2,115,244,235,29,145,30]	\\x1e89d69e64c43d9a9c24e896bd7a2362	f	1	2026-11-24 20:55:15.36133+00
3	0	[240,71,189,252,21,221,80,94]	\\x5c728e8cc12cb91ea6d036b6da4a8002	f	1	2026-11-24 20:55:15.36134+00
4	0	[111,15,80,134,140,52,121,121]	\\xd57ce9bdae6a6eac0769cb853270b496	f	1	2026-11-24 20:55:15.36136+00
5	0	[4,47,166,136,49,187,102,33]	\\x107df8b6f40f6b06cda99bd1ae503a86	f	1	2026-11-24 20:55:15.361381+00
\.

--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.alembic_version (version_num) FROM stdin;
0001
\.

--
-- Data for Name: backfill; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.backfill (source_id, phase, recheck, cursor_key, enqueued, estimate, requested_at, done_at) FROM stdin;
1	done	t	5	5	0	2026-11-24 20:55:15.062659+00	2026-11-24 20:55:15.591514+00
2	done	t	4	4	0	2026-11-24 20:55:15.088734+00	2026-11-24 20:55:15.596758+00
3	done	t	5	5	0	2026-11-24 20:55:15.108821+00	2026-11-24 20:55:15.598948+00
4	done	t	("b,""c",3)	6	0	2026-11-24 20:55:15.144367+00	2026-11-24 20:55:15.600645+00
5	done	t	(5,2026-01-06)	5	0	2026-11-24 20:55:15.176798+00	2026-11-24 20:55:15.602355+00
6	done	t	5	5	0	2026-11-24 20:55:15.199392+00	2026-11-24 20:55:15.603835+00
\.

--
-- Data for Name: change; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.change (source_id, lane, seq, part, keys, attempts, daemon_id, visible_at, claimed_at, enqueued_at, last_error) FROM stdin;
1	0	17	0	{2}	0	\N	-infinity	\N	2026-11-24 20:55:15.880145+00	\N
1	0	18	0	{3}	0	\N	-infinity	\N	2026-11-24 20:55:15.880638+00	\N
2	0	19	0	{2}	0	\N	-infinity	\N	2026-11-24 20:55:15.881241+00	\N
2	0	20	0	{3}	0	\N	-infinity	\N	2026-11-24 20:55:15.881622+00	\N
3	0	21	0	{2}	0	\N	-infinity	\N	2026-11-24 20:55:15.88652+00	\N
3	0	22	0	{3}	0	\N	-infinity	\N	2026-11-24 20:55:15.887001+00	\N
4	0	23	0	{"(a,2)","(\\"b,\\"\\"c\\",2)"}	0	\N	-infinity	\N	2026-11-24 20:55:15.887871+00	\N
4	0	24	0	{"(a,3)","(\\"b,\\"\\"c\\",3)"}	0	\N	-infinity	\N	2026-11-24 20:55:15.88851+00	\N
5	0	25	0	{"(2,2026-01-03)"}	0	\N	-infinity	\N	2026-11-24 20:55:15.889037+00	\N
5	0	26	0	{"(3,2026-01-04)"}	0	\N	-infinity	\N	2026-11-24 20:55:15.889375+00	\N
\.

--
-- Data for Name: daemon; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.daemon (id, name, pid, armed, models, started_at, heartbeat_at) FROM stdin;
\.

--
-- Data for Name: dead; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.dead (source_id, key, attempts, error, text_length, text_hash, enqueued_at, died_at) FROM stdin;
\.

--
-- Data for Name: model; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.model (id, name, fingerprint, "precision", dims, max_tokens, similarity, manifest, is_default, added_at) FROM stdin;
1	fake	fakefakefakefakefakefakefakefakefakefakefakefakefakefakefakefake	fp32	8	256	cosine	{}	t	2026-11-24 20:55:15.03297+00
\.

--
-- Data for Name: prepared_search; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.prepared_search (source_id, statement, relation, vectors, index) FROM stdin;
1	_rowvec.embedding OPERATOR(public.<=>) $1 AS distance, 0 AS chunk, NULL::text AS passage FROM rowvec.plain_vectors _rowvec JOIN public.plain AS plain ON plain.id = _rowvec.id WHERE _rowvec.embedding IS NOT NULL ORDER BY _rowvec.embedding OPERATOR(public.<=>) $1 LIMIT $2	public.plain	rowvec.plain_vectors	rowvec.plain_vectors_embedding_idx
\.

--
-- Data for Name: protocol; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.protocol (only_row, number) FROM stdin;
t	1
\.

--
-- Data for Name: query; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.query (id, model_id, prompt, query, source_id, asked_at, claimed_at, answer, chunks, error) FROM stdin;
\.

--
-- Data for Name: query_cache; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.query_cache (key, number, model_id, vector) FROM stdin;
\.

--
-- Data for Name: source; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.source (id, name, source_table, key_columns, key_numbers, key_types, text_columns, text_numbers, template, model_id, into_column, into_number, into_made, chunk_tokens, chunk_overlap, on_overflow, store_text, document_prompt, query_prompt, index_kind, recipe, vector_table, state, problem, shape, created_at) FROM stdin;
1	plain	public.plain	{id}	{1}	{integer}	{title,body}	{2,3}	\N	1	\N	\N	f	\N	0	truncate	f	\N	\N	\N	1	rowvec.plain_vectors	active	\N	22c635aa0817c587430eddaded0ebe94	2026-11-24 20:55:15.054864+00
2	chunky	public.chunky	{id}	{1}	{integer}	{body}	{2}	\N	1	\N	\N	f	10	2	truncate	t	\N	\N	\N	1	rowvec.chunky_vectors	active	\N	bc0b802b0526521cfc67283fa6923263	2026-11-24 20:55:15.084607+00
3	in_row	public.in_row	{id}	{1}	{integer}	{body}	{2}	\N	1	embedding	3	t	\N	0	truncate	f	\N	\N	\N	1	rowvec.in_row_vectors	active	\N	c5a43f8019168bb0ef57b931bd349ec8	2026-11-24 20:55:15.107442+00
4	composite	public.composite	{site,id}	{1,2}	{text,integer}	{body}	{3}	About {body}.	1	\N	\N	f	\N	0	truncate	f	\N	\N	\N	1	rowvec.composite_vectors	active	\N	e7a35bf566ae5e35da7a37975d52d576	2026-11-24 20:55:15.141656+00
5	parts	public.parts	{id,at}	{1,2}	{integer,date}	{body}	{3}	\N	1	\N	\N	f	\N	0	truncate	f	\N	\N	\N	1	rowvec.parts_vectors	active	\N	185b3c678602877f8667cb77eb33786c	2026-11-24 20:55:15.169494+00
6	paused	public.plain	{id}	{1}	{integer}	{title}	{2}	\N	1	\N	\N	f	\N	0	truncate	f	\N	\N	\N	1	rowvec.paused_vectors	paused	\N	22c635aa0817c587430eddaded0ebe94	2026-11-24 20:55:15.19417+00
\.

--
-- Data for Name: tally; Type: TABLE DATA; Schema: rowvec_internal; Owner: -
--

COPY rowvec_internal.tally (source_id, truncated) FROM stdin;
1	0
2	0
3	0
4	0
5	0
6	0
\.

SELECT pg_catalog.setval('rowvec_internal.armed', 1, true);

SELECT pg_catalog.setval('rowvec_internal.change_seq', 26, true);

SELECT pg_catalog.setval('rowvec_internal.daemon_id_seq', 1, true);

SELECT pg_catalog.setval('rowvec_internal.model_id_seq', 1, true);

SELECT pg_catalog.setval('rowvec_internal.query_cache_number_seq', 1, false);

SELECT pg_catalog.setval('rowvec_internal.query_hits', 1, false);

SELECT pg_catalog.setval('rowvec_internal.source_id_seq', 6, true);

ALTER TABLE ONLY public.chunky
    ADD CONSTRAINT chunky_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.composite
    ADD CONSTRAINT composite_pkey PRIMARY KEY (site, id);

ALTER TABLE ONLY public.in_row
    ADD CONSTRAINT in_row_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.parts
    ADD CONSTRAINT parts_pkey PRIMARY KEY (id, at);

ALTER TABLE ONLY public.parts_rest
    ADD CONSTRAINT parts_rest_pkey PRIMARY KEY (id, at);

ALTER TABLE ONLY public.plain
    ADD CONSTRAINT plain_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rowvec.chunky_vectors
    ADD CONSTRAINT chunky_vectors_pkey PRIMARY KEY (id, chunk);

ALTER TABLE ONLY rowvec.composite_vectors
    ADD CONSTRAINT composite_vectors_pkey PRIMARY KEY (site, id, chunk);

ALTER TABLE ONLY rowvec.in_row_vectors
    ADD CONSTRAINT in_row_vectors_pkey PRIMARY KEY (id, chunk);

ALTER TABLE ONLY rowvec.parts_vectors
    ADD CONSTRAINT parts_vectors_pkey PRIMARY KEY (id, at, chunk);

ALTER TABLE ONLY rowvec.paused_vectors
    ADD CONSTRAINT paused_vectors_pkey PRIMARY KEY (id, chunk);

ALTER TABLE ONLY rowvec.plain_vectors
    ADD CONSTRAINT plain_vectors_pkey PRIMARY KEY (id, chunk);

ALTER TABLE ONLY rowvec_internal.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY rowvec_internal.backfill
    ADD CONSTRAINT backfill_pkey PRIMARY KEY (source_id);

ALTER TABLE ONLY rowvec_internal.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (source_id, lane, seq, part);

ALTER TABLE ONLY rowvec_internal.daemon
    ADD CONSTRAINT daemon_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rowvec_internal.dead
    ADD CONSTRAINT dead_pkey PRIMARY KEY (source_id, key);

ALTER TABLE ONLY rowvec_internal.model
    ADD CONSTRAINT model_name_key UNIQUE (name);

ALTER TABLE ONLY rowvec_internal.model
    ADD CONSTRAINT model_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rowvec_internal.prepared_search
    ADD CONSTRAINT prepared_search_pkey PRIMARY KEY (source_id);

ALTER TABLE ONLY rowvec_internal.protocol
    ADD CONSTRAINT protocol_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY rowvec_internal.query_cache
    ADD CONSTRAINT query_cache_number_key UNIQUE (number);

ALTER TABLE ONLY rowvec_internal.query_cache
    ADD CONSTRAINT query_cache_pkey PRIMARY KEY (key);

ALTER TABLE ONLY rowvec_internal.query
    ADD CONSTRAINT query_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rowvec_internal.source
    ADD CONSTRAINT source_name_key UNIQUE (name);

ALTER TABLE ONLY rowvec_internal.source
    ADD CONSTRAINT source_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rowvec_internal.tally
    ADD CONSTRAINT tally_pkey PRIMARY KEY (source_id);

CREATE INDEX chunky_vectors__at_idx ON rowvec.chunky_vectors USING btree (_at) WHERE ((chunk = 0) AND (_hash IS NULL));

CREATE INDEX composite_vectors__at_idx ON rowvec.composite_vectors USING btree (_at) WHERE ((chunk = 0) AND (_hash IS NULL));

CREATE INDEX in_row_vectors__at_idx ON rowvec.in_row_vectors USING btree (_at) WHERE ((chunk = 0) AND (_hash IS NULL));

CREATE INDEX parts_vectors__at_idx ON rowvec.parts_vectors USING btree (_at) WHERE ((chunk = 0) AND (_hash IS NULL));

CREATE INDEX paused_vectors__at_idx ON rowvec.paused_vectors USING btree (_at) WHERE ((chunk = 0) AND (_hash IS NULL));

CREATE INDEX plain_vectors__at_idx ON rowvec.plain_vectors USING btree (_at) WHERE ((chunk = 0) AND (_hash IS NULL));

CREATE INDEX plain_vectors_embedding_idx ON rowvec.plain_vectors USING hnsw (embedding public.vector_cosine_ops);

CREATE UNIQUE INDEX model_one_default ON rowvec_internal.model USING btree (is_default) WHERE is_default;

ALTER INDEX public.parts_pkey ATTACH PARTITION public.parts_rest_pkey;

CREATE TRIGGER rowvec_1_delete AFTER DELETE ON public.plain REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_1_statement();

CREATE TRIGGER rowvec_1_insert AFTER INSERT ON public.plain REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_1_statement();

CREATE TRIGGER rowvec_1_truncate AFTER TRUNCATE ON public.plain FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_1_truncate();

CREATE TRIGGER rowvec_1_update AFTER UPDATE ON public.plain FOR EACH ROW WHEN ((((old.id IS DISTINCT FROM new.id) OR (old.title IS DISTINCT FROM new.title) OR (old.body IS DISTINCT FROM new.body)) AND rowvec_internal.source_1_gather((new.id)::text, (old.id)::text))) EXECUTE FUNCTION rowvec_internal.source_1_flush();

CREATE TRIGGER rowvec_2_delete AFTER DELETE ON public.chunky REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_2_statement();

CREATE TRIGGER rowvec_2_insert AFTER INSERT ON public.chunky REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_2_statement();

CREATE TRIGGER rowvec_2_truncate AFTER TRUNCATE ON public.chunky FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_2_truncate();

CREATE TRIGGER rowvec_2_update AFTER UPDATE ON public.chunky FOR EACH ROW WHEN ((((old.id IS DISTINCT FROM new.id) OR (old.body IS DISTINCT FROM new.body)) AND rowvec_internal.source_2_gather((new.id)::text, (old.id)::text))) EXECUTE FUNCTION rowvec_internal.source_2_flush();

CREATE TRIGGER rowvec_3_delete AFTER DELETE ON public.in_row REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_3_statement();

CREATE TRIGGER rowvec_3_insert AFTER INSERT ON public.in_row REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_3_statement();

CREATE TRIGGER rowvec_3_truncate AFTER TRUNCATE ON public.in_row FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_3_truncate();

CREATE TRIGGER rowvec_3_update AFTER UPDATE ON public.in_row FOR EACH ROW WHEN ((((old.id IS DISTINCT FROM new.id) OR (old.body IS DISTINCT FROM new.body)) AND rowvec_internal.source_3_gather((new.id)::text, (old.id)::text))) EXECUTE FUNCTION rowvec_internal.source_3_flush();

CREATE TRIGGER rowvec_3_vector AFTER UPDATE OF embedding ON public.in_row FOR EACH ROW WHEN (((current_setting('rowvec.writing'::text, true) IS DISTINCT FROM 'on'::text) AND (public.vector_send(old.embedding) IS DISTINCT FROM public.vector_send(new.embedding)) AND (NOT ((old.id IS DISTINCT FROM new.id) OR (old.body IS DISTINCT FROM new.body))))) EXECUTE FUNCTION rowvec_internal.source_3_row();

CREATE TRIGGER rowvec_4_delete AFTER DELETE ON public.composite REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_4_statement();

CREATE TRIGGER rowvec_4_insert AFTER INSERT ON public.composite REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_4_statement();

CREATE TRIGGER rowvec_4_truncate AFTER TRUNCATE ON public.composite FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_4_truncate();

CREATE TRIGGER rowvec_4_update AFTER UPDATE ON public.composite FOR EACH ROW WHEN ((((old.site IS DISTINCT FROM new.site) OR (old.id IS DISTINCT FROM new.id) OR (old.body IS DISTINCT FROM new.body)) AND rowvec_internal.source_4_gather((ROW(new.site, new.id))::text, (ROW(old.site, old.id))::text))) EXECUTE FUNCTION rowvec_internal.source_4_flush();

CREATE TRIGGER rowvec_5_insert AFTER INSERT OR DELETE ON public.parts FOR EACH ROW EXECUTE FUNCTION rowvec_internal.source_5_row();

CREATE TRIGGER rowvec_5_truncate AFTER TRUNCATE ON public.parts FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.source_5_truncate();

CREATE TRIGGER rowvec_5_update AFTER UPDATE ON public.parts FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (old.at IS DISTINCT FROM new.at) OR (old.body IS DISTINCT FROM new.body))) EXECUTE FUNCTION rowvec_internal.source_5_row();

CREATE TRIGGER follow_source AFTER INSERT OR DELETE OR UPDATE OF source_table, key_columns, vector_table, into_column, chunk_tokens, on_overflow ON rowvec_internal.source FOR EACH ROW EXECUTE FUNCTION rowvec_internal.follow_source();

CREATE TRIGGER note_armed AFTER DELETE OR UPDATE OF armed OR TRUNCATE ON rowvec_internal.daemon FOR EACH STATEMENT EXECUTE FUNCTION rowvec_internal.note_armed();

ALTER TABLE rowvec_internal.daemon ENABLE ALWAYS TRIGGER note_armed;

ALTER TABLE ONLY rowvec_internal.backfill
    ADD CONSTRAINT backfill_source_id_fkey FOREIGN KEY (source_id) REFERENCES rowvec_internal.source(id) ON DELETE CASCADE;

ALTER TABLE ONLY rowvec_internal.prepared_search
    ADD CONSTRAINT prepared_search_source_id_fkey FOREIGN KEY (source_id) REFERENCES rowvec_internal.source(id) ON DELETE CASCADE;

ALTER TABLE ONLY rowvec_internal.source
    ADD CONSTRAINT source_model_id_fkey FOREIGN KEY (model_id) REFERENCES rowvec_internal.model(id);

ALTER TABLE ONLY rowvec_internal.tally
    ADD CONSTRAINT tally_source_id_fkey FOREIGN KEY (source_id) REFERENCES rowvec_internal.source(id) ON DELETE CASCADE;

ALTER TABLE rowvec.chunky_vectors ENABLE ROW LEVEL SECURITY;

ALTER TABLE rowvec.composite_vectors ENABLE ROW LEVEL SECURITY;

ALTER TABLE rowvec.parts_vectors ENABLE ROW LEVEL SECURITY;

ALTER TABLE rowvec.paused_vectors ENABLE ROW LEVEL SECURITY;

ALTER TABLE rowvec.plain_vectors ENABLE ROW LEVEL SECURITY;

CREATE POLICY rowvec_read_1 ON rowvec.plain_vectors FOR SELECT USING ((( SELECT has_table_privilege(rowvec_internal.table_of((1)::smallint), 'SELECT'::text) AS has_table_privilege) AND (( SELECT (NOT row_security_active(rowvec_internal.table_of((1)::smallint)))) OR rowvec_internal.source_1_visible(plain_vectors.*))));

CREATE POLICY rowvec_read_2 ON rowvec.chunky_vectors FOR SELECT USING ((( SELECT has_table_privilege(rowvec_internal.table_of((2)::smallint), 'SELECT'::text) AS has_table_privilege) AND (( SELECT (NOT row_security_active(rowvec_internal.table_of((2)::smallint)))) OR rowvec_internal.source_2_visible(chunky_vectors.*))));

CREATE POLICY rowvec_read_4 ON rowvec.composite_vectors FOR SELECT USING ((( SELECT has_table_privilege(rowvec_internal.table_of((4)::smallint), 'SELECT'::text) AS has_table_privilege) AND (( SELECT (NOT row_security_active(rowvec_internal.table_of((4)::smallint)))) OR rowvec_internal.source_4_visible(composite_vectors.*))));

CREATE POLICY rowvec_read_5 ON rowvec.parts_vectors FOR SELECT USING ((( SELECT has_table_privilege(rowvec_internal.table_of((5)::smallint), 'SELECT'::text) AS has_table_privilege) AND (( SELECT (NOT row_security_active(rowvec_internal.table_of((5)::smallint)))) OR rowvec_internal.source_5_visible(parts_vectors.*))));

CREATE POLICY rowvec_read_6 ON rowvec.paused_vectors FOR SELECT USING ((( SELECT has_table_privilege(rowvec_internal.table_of((6)::smallint), 'SELECT'::text) AS has_table_privilege) AND (( SELECT (NOT row_security_active(rowvec_internal.table_of((6)::smallint)))) OR rowvec_internal.source_6_visible(paused_vectors.*))));

CREATE POLICY rowvec_write_1 ON rowvec.plain_vectors TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE POLICY rowvec_write_2 ON rowvec.chunky_vectors TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE POLICY rowvec_write_4 ON rowvec.composite_vectors TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE POLICY rowvec_write_5 ON rowvec.parts_vectors TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE POLICY rowvec_write_6 ON rowvec.paused_vectors TO CURRENT_USER USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA rowvec_internal TO PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.answer_preview(p_id uuid, p_chunks text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.answer_queries(p_ids uuid[], p_vectors public.vector[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.ask(p_model smallint, p_prompt text, p_query text, p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.by_loopback(p_model smallint, p_prompt text, p_query text, p_source smallint, p_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.by_mailbox(p_folder text, p_model smallint, p_prompt text, p_query text, p_source smallint, p_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.check_recipe(s rowvec_internal.source, p_model rowvec_internal.model) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.check_table(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.claim_queries(p_models smallint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.column_numbers(p_table regclass, p_columns name[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.column_problem(p_table regclass, p_column name, p_dims integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.drop_loopback() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.drop_outdated(p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.drop_triggers(p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.extension_schema(p_name name) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.fail_query(p_id uuid, p_error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.follow(p_source smallint, p_names name[], p_numbers smallint[], p_types text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.follow_source() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.grant_loopback(p_role name) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.grant_vectors(p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.install_triggers(p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.keep_in_step() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.key_columns(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.key_facts(p_source smallint, OUT partitioned boolean, OUT settings text, OUT gathers boolean, OUT simple boolean, OUT fixed boolean, OUT key_type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.key_path(p_table regclass, p_columns name[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.listens(p_way integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.mailbox_folder() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.make_column(s rowvec_internal.source, p_dims integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.make_functions(p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.make_gather(p_source smallint, p_type text, p_simple boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.make_statement(p_source smallint, p_settings text, p_simple boolean, p_fixed boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.make_vectors(s rowvec_internal.source, p_model rowvec_internal.model) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.no_answer(p_way integer, p_after interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.note_armed() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.part_sql(p_record text, p_table oid, p_column name) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.policy_statements(p_source smallint, p_vectors regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.prepare_search(p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.query_key(p_fingerprint text, p_precision text, p_prompt text, p_query text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.query_lock(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.query_model(p_source text, p_model text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.query_way(OUT way text, OUT missing text, OUT answered boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.release_queries(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.remake_source(p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.remember_queries(p_model smallint, p_prompt text, p_queries text[], p_vectors public.vector[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.resolve(p_source smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.ring(about text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.same_database(p_database oid, p_started numeric) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.set_loopback(p_host text, p_port integer, p_user text, p_password text, p_connect_s integer, p_idle_s integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.shape(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_1_flush() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_1_row() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_1_statement() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_1_truncate() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_2_flush() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_2_row() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_2_statement() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_2_truncate() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_3_flush() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_3_row() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_3_statement() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_3_truncate() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_4_flush() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_4_row() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_4_statement() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_4_truncate() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_5_row() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_5_truncate() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_6_flush() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_6_row() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_6_statement() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.source_6_truncate() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.sweep_queries(p_cached bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.table_name(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.take_answer(p_id uuid, OUT answer text, OUT error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.template_parts(p_template text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.text_sql(p_record text, p_table oid, p_columns name[], p_template text) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.trigger_statements(p_source smallint, p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.try_loopback() FROM PUBLIC;

REVOKE ALL ON FUNCTION rowvec_internal.ungrant_vectors(p_vectors regclass) FROM PUBLIC;

GRANT SELECT ON TABLE rowvec.chunky_vectors TO PUBLIC;

GRANT SELECT ON TABLE rowvec.composite_vectors TO PUBLIC;

GRANT SELECT ON TABLE rowvec.parts_vectors TO PUBLIC;

GRANT SELECT ON TABLE rowvec.paused_vectors TO PUBLIC;

GRANT SELECT ON TABLE rowvec.plain_vectors TO PUBLIC;

GRANT SELECT ON TABLE rowvec.status TO PUBLIC;

--
-- PostgreSQL database dump complete
--

