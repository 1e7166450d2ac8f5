-- What \df+ and \d+ say of everything in schema rowvec. Functions of one name are told apart by their first two
-- arguments. A name that is missing here is an error: nothing goes into rowvec without a comment. Locks: none.
DO $$
DECLARE
  v_function record;
BEGIN
  FOR v_function IN
    SELECT p.oid::regprocedure AS name, c.comment
    FROM pg_proc p LEFT JOIN (VALUES
      ('watch', 'source_table', 'text[]',
       'Begin to keep vectors for a table whose text is in these columns; returns the source''s name.'),
      ('watch', 'source_table', 'text',
       'Begin to keep vectors for a table whose text is in one column; returns the source''s name.'),
      ('unwatch', 'name', 'boolean',
       'End a source; its vectors go only with drop_vectors => true.'),
      ('pause', 'name', NULL,
       'Take the triggers off a source''s table, so that its columns can be altered; resume puts them back.'),
      ('resume', 'name', NULL,
       'Put the triggers of a paused source back, and compare every row with its vector.'),
      ('recheck', 'name', NULL,
       'Compare every row of a source with its vector, and embed what differs.'),
      ('swap', 'old', 'text',
       'Exchange the names of two sources of one table: searches by the old name find the new vectors at once.'),
      ('retry', 'name', 'text',
       'Try the dead letters of a source again, or one key of them; returns how many keys.'),
      ('wait', 'name', 'interval',
       'Return when every change that was committed before the call is searchable, or fail at the timeout.'),
      ('embed', 'query', 'text',
       'The vector of a text, with the query prompt of the source or model; asks a running daemon.'),
      ('search', 'source', 'vector',
       'The k rows of a source nearest to a vector: key, distance, best chunk and its passage.'),
      ('search', 'source', 'text',
       'The k rows of a source nearest to a text: key, distance, best chunk and its passage.'),
      ('search', 'row_type', 'vector',
       'The k rows nearest to a vector, as rows of their table: search(NULL::documents, vector).'),
      ('search', 'row_type', 'text',
       'The k rows nearest to a text, as rows of their table: search(NULL::documents, ''a text'').'),
      ('similar', 'source', 'text',
       'The k rows of a source nearest to the row with this key, without that row.'),
      ('similar', 'row_type', 'text',
       'The k rows nearest to the row with this key, as rows of their table: similar(NULL::documents, ''42'').'),
      ('hybrid_search', 'source', 'text',
       'Vector and full text search of a source, fused by the ranks in both lists.'),
      ('hybrid_search', 'row_type', 'text',
       'Vector and full text search, fused by rank, as rows of their table: hybrid_search(NULL::documents, ''text'').'),
      ('preview', 'source', 'text',
       'The text of one row as it is embedded, its chunks and their numbers of tokens; asks a running daemon.')
    ) c(name, first, second, comment)
      ON p.proname = c.name AND p.proargnames[1] = c.first
     AND c.second IS NOT DISTINCT FROM split_part(format_type(p.proargtypes[1], NULL), '.', -1)
    WHERE p.pronamespace = 'rowvec'::regnamespace
  LOOP
    IF v_function.comment IS NULL THEN
      RAISE EXCEPTION '% has no comment in access/comments.sql', v_function.name;
    END IF;
    EXECUTE format('COMMENT ON ROUTINE %s IS %L', v_function.name, v_function.comment);
  END LOOP;
END $$;

COMMENT ON SCHEMA rowvec IS 'Vectors that follow the text of tables: what people call and read.';
COMMENT ON SCHEMA rowvec_internal IS
  'Tables and functions behind schema rowvec; no interface, may change with each version.';

COMMENT ON VIEW rowvec.status IS 'One row a source: what waits, what failed, what is wrong.';
COMMENT ON COLUMN rowvec.status.name IS 'The source.';
COMMENT ON COLUMN rowvec.status.table_name IS 'The table that it watches.';
COMMENT ON COLUMN rowvec.status.model IS 'The model that its vectors are of.';
COMMENT ON COLUMN rowvec.status.state IS 'active, paused, or broken: see problem.';
COMMENT ON COLUMN rowvec.status.pending IS 'Keys in the change log; a recheck of the whole source counts as one.';
COMMENT ON COLUMN rowvec.status.leased IS 'Keys of them that a daemon works on now.';
COMMENT ON COLUMN rowvec.status.retrying IS 'Keys of them that failed and are tried again.';
COMMENT ON COLUMN rowvec.status.dead IS
  'Dead letters: keys that failed for the last time; see rowvec.errors and rowvec.retry.';
COMMENT ON COLUMN rowvec.status.lag IS
  'Age of the oldest live change that is not embedded yet: the number to alert on.';
COMMENT ON COLUMN rowvec.status.backfill IS 'rows or vectors while a pass over the source goes on, then done.';
COMMENT ON COLUMN rowvec.status.backfill_enqueued IS 'Keys that this pass has logged so far.';
COMMENT ON COLUMN rowvec.status.backfill_estimate IS 'Rows of the table, as the planner knew them at its beginning.';
COMMENT ON COLUMN rowvec.status.vector_table IS
  'The table with the vectors; with into_column, the one with their hashes.';
COMMENT ON COLUMN rowvec.status.daemons IS 'Daemons that serve its model and had a heartbeat within 30 s.';
COMMENT ON COLUMN rowvec.status.problem IS 'What is wrong, and what to do; NULL: nothing.';
COMMENT ON COLUMN rowvec.status.index IS
  'HNSW index: none, auto (a daemon is to build it), building, there, or invalid.';
COMMENT ON COLUMN rowvec.status.truncated IS 'Texts beyond the model''s limit, embedded by their beginning.';

COMMENT ON VIEW rowvec.errors IS
  'One row a key that failed: dead letters, and what is tried again. Never the text itself.';
COMMENT ON COLUMN rowvec.errors.name IS 'The source.';
COMMENT ON COLUMN rowvec.errors.key IS 'The row''s key as text.';
COMMENT ON COLUMN rowvec.errors.state IS 'dead: waits for rowvec.retry; retrying: tried again at next_try_at.';
COMMENT ON COLUMN rowvec.errors.attempts IS 'How often it was tried.';
COMMENT ON COLUMN rowvec.errors.error IS 'The last error.';
COMMENT ON COLUMN rowvec.errors.text_length IS 'Length of the text, in characters; NULL: not known.';
COMMENT ON COLUMN rowvec.errors.text_hash IS 'Hash of the text, hexadecimal; NULL: not known.';
COMMENT ON COLUMN rowvec.errors.at IS 'When it failed last.';
COMMENT ON COLUMN rowvec.errors.next_try_at IS 'When it is tried again; NULL: not by itself.';
