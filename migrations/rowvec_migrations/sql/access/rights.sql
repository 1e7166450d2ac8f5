-- Who may do what. In schema rowvec everybody may call everything: each function runs with the caller's rights, or
-- asks for them. In rowvec_internal PUBLIC may execute only what a search, a preview, wait() or a policy calls as the
-- caller; what is made for a source says its own rights where it is made (triggers/, readers/,
-- search/prepare_search.sql). Tables are readable by their owner only. Locks: none.
GRANT USAGE ON SCHEMA rowvec_internal TO PUBLIC;
GRANT SELECT ON rowvec.status TO PUBLIC;
DO $$
DECLARE
  v_function record;
BEGIN
  FOR v_function IN
    SELECT p.oid::regprocedure AS name, p.proname = ANY (ARRAY[
      -- search, similar and hybrid_search; each reads the user's table with the caller's rights
      'begin_search', 'end_search', 'estimate', 'exact_search', 'search_sql', 'chunk_search_sql', 'own_vector',
      'key_matches', 'key_text', 'text_document', 'text_hits',
      -- what they must know of a source: by its name, without the catalogue's tables
      'ready', 'search_facts', 'source_of', 'source_id',
      -- the text of a row, in a passage and in a preview
      'join_text', 'text_part', 'json_text', 'json_words',
      -- embed and preview: a text to a daemon
      'query_vector', 'preview_facts', 'ask_daemon',
      -- wait
      'wait_facts', 'waiting',
      -- the policies of vector tables
      'table_of'
    ]) AS open
    FROM pg_proc p
    WHERE p.pronamespace = 'rowvec_internal'::regnamespace AND p.proname !~ '^source_\d+_'
  LOOP
    EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', v_function.name);
    IF v_function.open THEN
      EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', v_function.name);
    END IF;
  END LOOP;
END $$;
